"""Mails through a real SMTP server: delivered, greylisted, refused, to a slow server, one that is down, one that answers
garbage or nothing, one that wants TLS and a password. Chats by webhook, which are down at the same time, through a kill.
Nothing is lost, nobody else waits, and no ticket writes headers."""
import collections, email, email.policy, http.server, json, os, shutil, socket, ssl, subprocess, threading
import docket_pb2 as pb
from docket_client import Client, event, id_of_key
from receiver import Receiver
from site_of import Site, skip
from waiting import wait_until

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult
except ImportError:
    skip("python3-aiosmtpd is not installed")
import asyncio

PLACEHOLDER = 1 << 56 | 0xFFFF << 40
OPERATOR = 6 << 56 | 1
EVIL = "Grüße ✓ <!channel> & \"quoted\"\r\nBcc: victim@elsewhere.example\r\n\r\n.\r\nQUIT"
TEXT = "Zeile eins: grün\n.\n..\nFrom here\n" + "long " * 300 + "\nend ✓"


class Mailbox:
    """What an SMTP server does with a mail is said by the mailbox it is for."""

    def __init__(self):
        self.taken, self.greylisted, self.users = collections.defaultdict(list), set(), set()

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        who = address.split("@")[0]
        if who == "gone":
            return "550 5.1.1 nobody of this name"
        if who == "grey" and address not in self.greylisted:
            self.greylisted.add(address)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        assert len(envelope.rcpt_tos) == 1, envelope.rcpt_tos
        who = envelope.rcpt_tos[0].split("@")[0]
        if who == "slow":
            await asyncio.sleep(1.5)
        self.taken[who].append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.users.add(session.auth_data)
        return "250 Taken"

    def ids(self, who):
        return collections.Counter(i for mail in self.taken[who] for i in mail.get_all("Docket-Notice"))


def serve(mailbox, port, **options):
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    return controller


class Chats(Receiver):
    """What each chat was told, by the id of the notice."""

    def __init__(self, port):
        self.told = collections.defaultdict(dict)
        super().__init__(Chat, port)

    def stop(self):
        self.shutdown()
        self.server_close()


class Chat(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told[self.path.strip("/")][self.headers["Idempotency-Key"]] = said
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Mad:
    """Answers every connection with bytes that are no SMTP, or says nothing at all."""

    def __init__(self, port, says=b""):
        self.listener, self.says = socket.create_server(("127.0.0.1", port)), says
        self.heard, self.peers = 0, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                peer, _ = self.listener.accept()
                self.heard += 1
                if self.says:
                    peer.sendall(self.says)
                    peer.close()
                else:
                    self.peers.append(peer)
        except OSError:
            pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def define(operator, kind, cls, key, body):
    body.definition.key = key.encode()
    reply = operator.append(event(kind, id_of_key(cls, key), OPERATOR, body, one_shot=os.urandom(16)))
    assert not reply.refused, reply


def define_rules(operator, mailboxes):
    define(operator, 103, "template", "news", pb.TemplateDefined(text=[pb.TemplateText(
        language=b"", title=b"{{ticket}}: {{text}}", body=b"{{subject}}")]))
    for who in mailboxes:
        define(operator, 104, "rule", who, pb.RuleDefined(
            on_kind=[25], recipient=pb.RULE_FIXED, template=id_of_key("template", "news"),
            transport=pb.TRANSPORT_SMTP, address=pb.Text(plain=f"{who}@desk.example".encode())))
    define(operator, 104, "rule", "file", pb.RuleDefined(
        on_kind=[25], recipient=pb.RULE_FIXED, template=id_of_key("template", "news"),
        transport=pb.TRANSPORT_FILE, address=pb.Text(plain=b"news.jsonl")))


CHATS = {"slack": pb.PAYLOAD_SLACK, "mattermost": pb.PAYLOAD_MATTERMOST, "telegram": pb.PAYLOAD_TELEGRAM}


def define_chats(operator, port):
    define(operator, 103, "template", "chat", pb.TemplateDefined(text=[pb.TemplateText(
        language=b"", title=b"{{ticket}} *now*", body=b"{{text}}")]))
    for name, payload in CHATS.items():
        define(operator, 104, "rule", name, pb.RuleDefined(
            on_kind=[25], recipient=pb.RULE_FIXED, template=id_of_key("template", "chat"), payload=payload, chat=b"-42",
            transport=pb.TRANSPORT_WEBHOOK, address=pb.Text(plain=f"http://127.0.0.1:{port}/{name}".encode())))


def check_chats(told):
    """What the customer wrote is a chat's text and no markup of it; what the template says is."""
    first = lambda chat: next(said for said in told[chat].values() if said["text"].lstrip("*").startswith("1-1 "))
    assert first("slack") == {"text": "*1-1 *now**\n" + EVIL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    assert first("mattermost") == {"username": "docket", "text": "**1-1 *now***\n" + EVIL.replace("@", "@\u200b")
                                   .replace("<", "\\<").replace("!", "\\!").replace(">", "\\>")}, first("mattermost")
    assert first("telegram") == {"chat_id": -42, "text": "1-1 *now*\n" + EVIL}, first("telegram")


def news(client, count):
    for _ in range(count):
        request_id = os.urandom(16)
        reply = client.append(
            event(16, PLACEHOLDER, OPERATOR, pb.Opened(subject=pb.Text(plain=TEXT.encode())), one_shot=request_id),
            event(25, PLACEHOLDER, OPERATOR, pb.NoteAdded(text=pb.Text(plain=EVIL.encode())), one_shot=request_id))
        assert not reply.refused, reply


def configure(site, text):
    with open(site.data / "docket.yaml", "a") as file:
        file.write(text)


def requested(client, rule):
    """The ids of all notices of a rule, from the log."""
    ids, at = set(), 1
    while True:
        records = client.call(fetch=pb.Fetch(**{"from": at})).records
        if not records.event:
            return ids
        for e in map(pb.Event.FromString, records.event):
            if e.kind == 51 and e.notification_requested.rule == id_of_key("rule", rule):
                ids.add(f"{e.notification_requested.notice:016x}")
        at = records.next


def check_mail(mail):
    only = lambda name: [a.addr_spec for a in mail[name].addresses]
    assert mail["Bcc"] is None and only("To") == ["ok@desk.example"], mail.as_string()
    assert only("From") == ["docket@desk.example"] and mail["Date"].datetime, mail.as_string()
    assert mail["Message-ID"] == f"<{mail['Docket-Notice']}.docket@desk.example>", mail.as_string()
    assert mail["Auto-Submitted"] == "auto-generated", mail.as_string()
    assert mail["Subject"] == "1-1: " + EVIL.replace("\r", " ").replace("\n", " "), mail["Subject"]
    body = mail.get_body().get_content().replace("\r\n", "\n")
    assert body.rstrip("\n") == TEXT, body


def plain_server(port):
    with Site("notification") as site:
        configure(site, f"smtp:\n  server: smtp://127.0.0.1:{port}\n  from: docket@desk.example\n  starttls: allowed\n")
        mailbox = Mailbox()
        server = serve(mailbox, port)
        site.nodes["notification"].env = {"no_proxy": "*"}
        site.start()
        node, operator = site.nodes["notification"], Client(site.data, "operator")
        lines = lambda: (site.data / "outbox/news.jsonl").read_text().count("\n")
        define_rules(operator, ["ok", "grey", "gone", "slow"])
        chat_port = free_port()
        chats = Chats(chat_port)
        define_chats(operator, chat_port)

        news(operator, 5)
        wait_until("all are told", lambda: all(len(mailbox.ids(who)) == 5 for who in ("ok", "grey", "slow")))
        wait_until("the refused are dead", lambda: len(operator.query("notification", "dead")) == 5)
        dead = operator.query("notification", "dead")
        assert {d["rule"] for d in dead} == {"gone"} and all("550" in d["error"] and d["attempts"] == 1 for d in dead), dead
        assert [d["position"] for d in dead] == sorted(d["position"] for d in dead)
        check_mail(next(m for m in mailbox.taken["ok"] if m["Subject"].startswith("1-1:")))

        wait_until("chats are told", lambda: all(len(chats.told[chat]) == 5 for chat in CHATS))
        check_chats(chats.told)

        # Down, then mad: files are written meanwhile, mails and chats wait, through a kill.
        server.stop()
        chats.stop()
        heard = {chat: set(chats.told[chat]) for chat in CHATS}
        news(operator, 10)
        wait_until("files do not wait for mails", lambda: lines() == 15)
        wait_until("attempts", lambda: any(n["attempts"] > 0 for n in operator.query("notification", "outbox")))
        mad = Mad(port, b"\x00\xff what?\n\n220\n")
        wait_until("garbage is heard", lambda: mad.heard > 2)
        mad.stop()
        mad = Mad(port)
        wait_until("it hangs on silence", lambda: mad.heard > 0)
        news(operator, 1)
        wait_until("files do not wait for a silent server", lambda: lines() == 16, timeout_s=3)
        assert len(operator.query("notification", "dead")) == 5, "a server in trouble is no reason to give up"
        node.kill()
        mad.stop()
        server = serve(mailbox, port)
        chats = Chats(chat_port)
        node.start()
        wait_until("nothing waits", lambda: not operator.query(
            "notification", "outbox", at_least=operator.call(head=pb.Head()).head.head))
        for who in ("ok", "grey", "slow"):
            assert set(mailbox.ids(who)) == requested(operator, who) and len(mailbox.ids(who)) == 16, who
            assert mailbox.ids(who).total() <= 16 + 8, mailbox.ids(who)
        for chat in CHATS:
            assert heard[chat] | set(chats.told[chat]) == requested(operator, chat) and len(chats.told[chat]) >= 11, chat
        assert {d["notice"] for d in operator.query("notification", "dead")} == requested(operator, "gone")
        chats.stop()
        assert node.end() == 0 and site.broker.end() == 0, node.said()
        server.stop()


def server_with_password(port):
    if not shutil.which("openssl"):
        return "no openssl: TLS was not tried"
    with Site("notification") as site:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", site.path / "key", "-out", site.path / "cert"],
                       check=True, capture_output=True)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(site.path / "cert", site.path / "key")
        secret = site.data / "keys/smtp-password"
        secret.write_text("wrong\n")
        secret.chmod(0o600)
        configure(site, f"smtp:\n  server: smtp://127.0.0.1:{port}\n  from: docket@desk.example\n  user: docket\n"
                        f"  password_file: keys/smtp-password\n  ca: {site.path}/cert\n")
        mailbox = Mailbox()
        let_in = lambda server, session, envelope, mechanism, data: AuthResult(
            success=data.password == b"open sesame", auth_data=data.login)
        server = serve(mailbox, port, tls_context=tls, require_starttls=True, auth_required=True, authenticator=let_in)
        site.start()
        node, operator = site.nodes["notification"], Client(site.data, "operator")
        define_rules(operator, ["ok"])
        news(operator, 3)
        wait_until("it is not let in", lambda: any(n["attempts"] > 0 for n in operator.query("notification", "outbox")))
        assert not operator.query("notification", "dead") and not mailbox.taken["ok"]
        assert node.end() == 0
        secret.write_text("open sesame\n")
        node.start()
        wait_until("all are told", lambda: len(mailbox.ids("ok")) == 3)
        assert mailbox.users == {b"docket"}, mailbox.users
        server.stop()

        # A server without TLS is not told the password.
        server = serve(mailbox, port, auth_require_tls=False, authenticator=let_in)
        news(operator, 1)
        wait_until("no TLS, no mail", lambda: any(n["attempts"] > 0 for n in operator.query("notification", "outbox")))
        assert len(mailbox.ids("ok")) == 3
        assert node.end() == 0
        server.stop()
        secret.chmod(0o644)
        try:
            node.start(timeout_s=10)
            raise AssertionError("a password that others may read was taken")
        except RuntimeError as why:
            assert "chmod 600" in str(why), why
    return "with TLS and password"


plain_server(free_port())
print("mails: delivered, greylisted, refused, down, garbage, silence;", server_with_password(free_port()))
