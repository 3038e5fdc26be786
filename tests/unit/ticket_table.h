/* The life of a ticket as a table: what every kind of event does to a ticket in every status.
 *
 * A row is one kind with one body. `given` is what the ticket is besides its status: flags of enum
 * dk_ticket_flag; OFFERED: it is on offer to bert; HANDED_OVER: bert gets it back; APPROVAL: bert is
 * asked; WITH_SUPPLIER: acme has it; ACKNOWLEDGED: its own notice is. The ticket is carl's, with
 * anna, in support's queue on line 1; pending waits for the customer. Anna acts, but for `by`. A
 * cell is one status: the verdict on a live event, and the status after it when it is
 * another (n new, o open, p pending, s solved, c closed, m merged):
 *
 *     +  allowed         !  DK_EEXISTS      >  DK_EMOVED
 *     -  DK_EILLEGAL     ?  DK_ENOTFOUND    <  DK_EEARLY
 *     ~  DK_EREFERENCE
 *
 * A live event that is refused changes nothing. The letter then is of an imported one, which is
 * folded all the same and counted as irregular (? and ! are refused even then). Where an imported
 * event fares otherwise, it follows after a slash: "+o/+" is allowed and opens the ticket, but
 * imported it leaves the status; "-/+s" is refused, but imported it is regular and solves.
 *
 * `changes` are the other fields that differ afterwards, flags with their sign, whenever the event
 * is folded; `imported` the same for an imported one, "=" where there is no difference.
 *
 *  kind, body, given,
 *   none new  open pend solv clos merged    changes, imported */

/* clang-format off */
ROW(OPENED, "customer=carl product=vpn", NOTHING,
    "+n   !    !    !    !    !    !   ", "customer product priority",
    "customer product +historical")
ROW(OPENED, "status=solved", NOTHING,
    "-/+s !s   !s   !s   !s   !s   !s  ", "", "+historical")
ROW(CLASSIFIED, "priority=low", NOTHING,
    "?    +    +    +    +    -    -   ", "priority", "=")
ROW(CLASSIFIED, "impact=1 urgency=1", NOTHING,
    "?    +    +    +    +    -    -   ", "priority", "")
ROW(ROUTED, "line=2 group=network", NOTHING,
    "?    -/+  -/+  -/+  -    -    -   ", "group owner line", "group line")
ROW(ROUTED, "line=2 group=network by=routing", NOTHING,
    "?    +    +    +    -    -    -   ", "group owner line", "group line")
ROW(ROUTED, "line=2 group=network", CHECKLIST,
    "?    +    +    +    -    -    -   ", "group owner line -checklist", "group line -checklist")
ROW(ROUTED, "line=1 group=network reason=handover", NOTHING,
    "?    +    +    +    -    -    -   ", "group", "=")
ROW(QUEUED, "group=support", NOTHING,
    "?    +    +    +    -    -    -   ", "", "=")

ROW(OFFERED, "agent=bert", NOTHING,
    "?    +    +    +    -    -    -   ", "offered", "=")
ROW(OFFERED, "agent=bert", OFFERED,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(OFFER_DECLINED, "agent=bert", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(OFFER_DECLINED, "agent=bert", OFFERED,
    "?    +    +    +    -    -    -   ", "offered", "=")
ROW(ASSIGNED, "agent=bert", NOTHING,
    "?    +    +    +    -    -    -   ", "owner", "=")
ROW(ASSIGNED, "agent=bert", OFFERED,
    "?    +    +    +    -    -    -   ", "owner offered", "=")

ROW(HANDOVER_DECLARED, "agent=bert term=permanent reason=overload", NOTHING,
    "?    +    +    +    +    -    -   ", "owner speaker", "=")
ROW(HANDOVER_DECLARED, "agent=bert term=temporary reason=absent", NOTHING,
    "?    +    +    +    +    -    -   ", "owner speaker returns_to +handed_over", "=")
ROW(HANDOVER_DECLARED, "agent=bert term=permanent reason=return", NOTHING,
    "?    -    -    -    -    -    -   ", "owner speaker", "=")
ROW(HANDOVER_DECLARED, "agent=bert term=permanent reason=return", HANDED_OVER,
    "?    +    +    +    +    -    -   ", "owner speaker returns_to -handed_over", "=")

ROW(MESSAGE_PUBLIC, "direction=inbound by=carl", NOTHING,
    "?    +    +    +o/+ +o/+ -    -   ", "+unanswered", "=")
ROW(MESSAGE_PUBLIC, "direction=outbound", UNANSWERED,
    "?    +    +    +    +    -    -   ", "+replied -unanswered", "=")
ROW(MESSAGE_PUBLIC, "direction=outbound by=bert", NOTHING,
    "?    -    -    -    -    -    -   ", "speaker +replied", "=")
ROW(MESSAGE_PUBLIC, "direction=outbound automatic=1 by=bert", UNANSWERED,
    "?    -/+  -/+  -/+  -/+  -    -   ", "", "=")
ROW(MESSAGE_PUBLIC, "direction=outbound automatic=1 by=operator", UNANSWERED,
    "?    +    +    +    +    -    -   ", "", "=")
ROW(NOTE_ADDED, "", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")
ROW(NOTE_ADDED, "", AWAY,
    "?    >    >    >    >    >    >   ", "", "=")

ROW(STATUS_CHANGED, "status=new", NOTHING,
    "?n   -n   -n   -n   -n   -n   -n  ", "", "=")
ROW(STATUS_CHANGED, "status=open", NOTHING,
    "?o   +o   -o   +o   +o   +o   -o  ", "", "=")
ROW(STATUS_CHANGED, "status=pending pending=supplier", NOTHING,
    "?p   +p   +p   +p   -p   -p   -p  ", "", "=")
ROW(STATUS_CHANGED, "status=solved", NOTHING,
    "?s   +s   +s   +s   -s   -s   -s  ", "", "=")
ROW(STATUS_CHANGED, "status=solved", OFFERED,
    "?s   +s   +s   +s   -s   -s   -s  ", "offered", "=")
ROW(STATUS_CHANGED, "status=closed", NOTHING,
    "?c   -c   -c   -c   +c   -c   -c  ", "", "=")
ROW(STATUS_CHANGED, "status=merged", NOTHING,
    "?m   -m   -m   -m   -m   -m   -m  ", "", "=")

ROW(ESCALATED, "type=functional to_line=2", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(ESCALATED, "type=functional to_line=2", CHECKLIST,
    "?    +    +    +    -    -    -   ", "-checklist", "=")
ROW(ESCALATED, "type=functional to_line=2 to_group=network", CHECKLIST,
    "?    +    +    +    -    -    -   ", "group owner line -checklist", "group line -checklist")
ROW(ESCALATED, "type=hierarchical manager=bert", NOTHING,
    "?    +    +    +    +    -    -   ", "", "=")
ROW(CHECKLIST_ANSWERED, "understood=1 standard_steps_tried=1 known_fixes_tried=1"
    " said_in_product_terms=1 data_collected=1", NOTHING,
    "?    +    +    +    -    -    -   ", "+checklist", "=")
ROW(CHECKLIST_ANSWERED, "understood=1", CHECKLIST,
    "?    +    +    +    -    -    -   ", "-checklist", "=")

ROW(SUPPLIER_HANDED, "supplier=acme", NOTHING,
    "?    +    +    +    -    -    -   ", "supplier", "=")
ROW(SUPPLIER_HANDED, "supplier=acme", WITH_SUPPLIER,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(SUPPLIER_RETURNED, "supplier=acme", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(SUPPLIER_RETURNED, "supplier=7", WITH_SUPPLIER,
    "?    -    -    -    -    -    -   ", "", "supplier")
ROW(SUPPLIER_RETURNED, "supplier=acme", WITH_SUPPLIER,
    "?    +    +    +    +    +    -   ", "supplier", "=")

ROW(MERGED_INTO, "target=other", NOTHING,
    "?m   +m   +m   +m   +m   -m   -m  ", "", "=")
ROW(MERGED_INTO, "target=itself", NOTHING,
    "?m   -m   -m   -m   -m   -m   -m  ", "", "=")
ROW(MERGED_FROM, "source_ticket=other", NOTHING,
    "?    +    +    +    +    -    -   ", "", "=")
ROW(MERGED_FROM, "source_ticket=other unanswered_since_us=now", NOTHING,
    "?    +    +    +    +    -    -   ", "+unanswered", "=")
ROW(LINKED_TO, "target=other type=duplicate", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")
ROW(LINKED_TO, "target=itself type=duplicate", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(LINKED_FROM, "source_ticket=other type=duplicate", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")

ROW(TIME_LOGGED, "seconds=60", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")
ROW(ATTACHMENT_ADDED, "size_bytes=9", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")
ROW(ATTACHMENT_ERASED, "", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")

ROW(RATED, "csat=5 by=carl", NOTHING,
    "?    -    -    -    +    +    -   ", "", "=")
ROW(FOLLOWED_UP, "", NOTHING,
    "?    -    -    -    +    +    -   ", "", "=")

ROW(TRANSFERRED_OUT, "target_site=2", NOTHING,
    "?    +    +    +    +    +    -   ", "+away", "=")
ROW(TRANSFERRED_OUT, "target_site=2", AWAY,
    "?    >    >    >    >    >    >   ", "", "=")
ROW(TRANSFERRED_IN, "", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(TRANSFERRED_IN, "", AWAY,
    "?    +    +    +    +    +    -   ", "-away", "=")
ROW(EXCEPTION_RECORDED, "type=checklist", NOTHING,
    "?    +    +    +    +    -    -   ", "+checklist", "=")
ROW(EXCEPTION_RECORDED, "type=entitlement", NOTHING,
    "?    +    +    +    +    -    -   ", "+entitled", "=")

ROW(CLOCK_STARTED, "due_us=later", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_PAUSED, "elapsed_us=1", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_RESUMED, "due_us=later", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_MET, "due_us=later", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_WARNED, "due_us=now", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_WARNED, "due_us=later", NOTHING,
    "?    <    <    <    <    <    <   ", "", "=")
ROW(CLOCK_BREACHED, "due_us=now", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_BREACHED, "due_us=now", AWAY,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_BREACHED, "due_us=later", NOTHING,
    "?    <    <    <    <    <    <   ", "", "=")
ROW(CLOCK_CANCELLED, "", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(CLOCK_CORRECTED, "because=3", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")

ROW(NOTIFICATION_REQUESTED, "notice=own", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(NOTIFICATION_REQUESTED, "notice=foreign", NOTHING,
    "?    ~    ~    ~    ~    ~    ~   ", "", "=")
ROW(NOTIFICATION_SENT, "notice=own", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(NOTIFICATION_FAILED, "notice=own", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(NOTIFICATION_ACKNOWLEDGED, "notice=own", NOTHING,
    "?    +    +    +    +    +    +   ", "acknowledged", "=")
ROW(NOTIFICATION_ACKNOWLEDGED, "notice=foreign", NOTHING,
    "?    ~    ~    ~    ~    ~    ~   ", "acknowledged", "=")
ROW(NOTIFICATION_RETRIED, "notice=own", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(NOTIFICATION_DROPPED, "notice=own", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(NOTIFICATION_ACKNOWLEDGED, "notice=own", ACKNOWLEDGED,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(NOTIFICATION_ACKNOWLEDGED, "notice=next", ACKNOWLEDGED,
    "?    +    +    +    +    +    +   ", "acknowledged", "=")

ROW(FIELD_SET, "field=room", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")
ROW(REQUESTER_CHANGED, "customer=dora", NOTHING,
    "?    +    +    +    +    -    -   ", "customer", "=")
ROW(FOLLOWERS_CHANGED, "", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")

ROW(APPROVAL_ASKED, "approver=bert", NOTHING,
    "?    +    +    +    -    -    -   ", "approver +approval", "=")
ROW(APPROVAL_ASKED, "approver=anna", APPROVAL,
    "?    -    -    -    -    -    -   ", "approver", "=")
ROW(APPROVAL_GIVEN, "approver=bert by=bert", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(APPROVAL_GIVEN, "approver=bert by=bert", APPROVAL,
    "?    +    +    +    +    -    -   ", "approver -approval", "=")
ROW(APPROVAL_GIVEN, "approver=bert", APPROVAL,
    "?    -/+  -/+  -/+  -/+  -    -   ", "approver -approval", "=")
ROW(APPROVAL_GIVEN, "approver=anna", APPROVAL,
    "?    -    -    -    -    -    -   ", "approver -approval", "=")
ROW(APPROVAL_REFUSED, "approver=bert by=bert", NOTHING,
    "?    -    -    -    -    -    -   ", "", "=")
ROW(APPROVAL_REFUSED, "approver=bert by=bert", APPROVAL,
    "?    +    +    +    +    -    -   ", "approver -approval", "=")
ROW(APPROVAL_REFUSED, "approver=bert", APPROVAL,
    "?    -/+  -/+  -/+  -/+  -    -   ", "approver -approval", "=")
ROW(APPROVAL_REFUSED, "approver=anna", APPROVAL,
    "?    -    -    -    -    -    -   ", "approver -approval", "=")

ROW(REMINDER_SET, "due_us=later", NOTHING,
    "?    +    +    +    +    +    -   ", "", "=")
ROW(REMINDER_DUE, "due_us=now", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
ROW(REMINDER_DUE, "due_us=later", NOTHING,
    "?    <    <    <    <    <    <   ", "", "=")

ROW(AUTO_SOLVED, "due_us=now", NOTHING,
    "?s   -s   -s   +s   -s   -s   -s  ", "", "=")
ROW(AUTO_SOLVED, "due_us=later", NOTHING,
    "?s   -s   -s   <s   -s   -s   -s  ", "", "=")
ROW(AUTO_CLOSED, "due_us=now", NOTHING,
    "?c   -c   -c   -c   +c   -c   -c  ", "", "=")
ROW(AUTO_CLOSED, "due_us=later", NOTHING,
    "?c   -c   -c   -c   <c   -c   -c  ", "", "=")

ROW(ADOPTED, "", NOTHING,
    "?    -    -    -    -    -    -   ", "+adopted", "=")
ROW(ADOPTED, "", HISTORICAL,
    "?    +    +    +    +    +    -   ", "-historical +adopted", "=")

ROW(REPEAT_NOTED, "repeat_of=other", NOTHING,
    "?    +    +    +    -    -    -   ", "", "=")
ROW(SOURCE_ROW, "", NOTHING,
    "?    +    +    +    +    +    +   ", "", "=")
/* clang-format on */
