#include "tests/sim/net.h"

#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>

struct sim_message {
    uint8_t *frame; /* NULL: the slot is free */
    size_t bytes;
    struct sim_link *link;
    struct dk_peer peer; /* as it was when the message was sent */
    bool to_broker;
    bool lost;
};

void sim_net_init(struct sim_net *net, struct sim_scene *scene)
{
    memset(net, 0, sizeof *net);
    net->scene = scene;
}

void sim_net_close(struct sim_net *net)
{
    for (size_t i = 0; i < net->messages; i++) {
        free(net->message[i].frame);
    }
    free(net->message);
}

void sim_net_add(struct sim_net *net, struct sim_link *link)
{
    DK_ASSERT(net->links < SIM_LINKS_MAX);
    link->net = net;
    link->peer.connection = ++net->last_connection;
    net->link[net->links++] = link;
}

/* ---------------------------------------------------------------- messages */

static void arrive(void *arg, uint64_t slot)
{
    struct sim_net *net = arg;
    struct sim_message message = net->message[slot];
    int64_t pause_us = message.link->paused_until_us - net->scene->now_us;
    if (!message.to_broker && pause_us > 0) {
        sim_in(net->scene, pause_us, arrive, net, slot);
        return;
    }
    net->message[slot].frame = NULL;
    if (message.lost) {
        sim_trace(net->scene, "net: a message %s %s is lost", message.to_broker ? "of" : "to",
                  message.link->name);
    } else if (!message.to_broker) {
        message.link->receive(message.link->arg, message.frame, message.bytes);
    } else if (!net->request(net->broker, &message.peer, message.frame, message.bytes)) {
        sim_trace(net->scene, "net: %s finds no broker", message.link->name);
    }
    free(message.frame);
}

static size_t free_slot(struct sim_net *net)
{
    for (size_t i = 0; i < net->messages; i++) {
        if (net->message[i].frame == NULL) {
            return i;
        }
    }
    size_t first = net->messages;
    net->messages = first == 0 ? 64 : first * 2;
    net->message = realloc(net->message, net->messages * sizeof *net->message);
    DK_ASSERT(net->message != NULL);
    memset(net->message + first, 0, (net->messages - first) * sizeof *net->message);
    return first;
}

static void carry(struct sim_link *link, bool to_broker, const uint8_t *frame, size_t bytes)
{
    struct sim_net *net = link->net;
    struct sim_scene *scene = net->scene;
    size_t slot = free_slot(net);
    struct sim_message *message = &net->message[slot];
    int64_t at_us = scene->now_us + sim_about(scene, net->delay_us);
    if (sim_chance(scene, net->late_permille)) {
        at_us += sim_about(scene, 100 * net->delay_us);
    }
    at_us = at_us > link->cut_until_us ? at_us : link->cut_until_us;
    at_us = at_us > link->last_us[to_broker] ? at_us : link->last_us[to_broker];
    link->last_us[to_broker] = at_us;
    *message = (struct sim_message){
        .frame = malloc(bytes),
        .bytes = bytes,
        .link = link,
        .peer = link->peer,
        .to_broker = to_broker,
        .lost = sim_chance(scene, net->lost_permille),
    };
    DK_ASSERT(message->frame != NULL);
    memcpy(message->frame, frame, bytes);
    sim_in(scene, at_us - scene->now_us, arrive, net, slot);
}

void sim_link_send(struct sim_link *link, const uint8_t *frame, size_t bytes)
{
    carry(link, true, frame, bytes);
}

void sim_net_reply(struct sim_net *net, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    for (size_t i = 0; i < net->links; i++) {
        if (net->link[i]->peer.connection == connection) {
            carry(net->link[i], false, frame, bytes);
            return;
        }
    }
}

/* ---------------------------------------------------------------- breaks */

static void tell_gone(void *arg, uint64_t connection)
{
    struct sim_net *net = arg;
    net->disconnected(net->broker, connection);
}

/* Of what flies on a link, this much is lost. */
static void lose(struct sim_link *link, bool to_broker, unsigned permille)
{
    struct sim_net *net = link->net;
    for (size_t i = 0; i < net->messages; i++) {
        struct sim_message *message = &net->message[i];
        if (message->frame != NULL && message->link == link && message->to_broker == to_broker) {
            message->lost |= sim_chance(net->scene, permille);
        }
    }
}

void sim_link_break(struct sim_link *link, int64_t cut_us)
{
    struct sim_net *net = link->net;
    int64_t now_us = net->scene->now_us;
    int64_t last_us = link->last_us[true] > now_us ? link->last_us[true] : now_us;
    sim_trace(net->scene, "net: the connection of %s breaks, for %lld us", link->name,
              (long long)cut_us);
    lose(link, true, 500);
    lose(link, false, 500);
    sim_in(net->scene, last_us - now_us + sim_about(net->scene, SIM_SECOND_US), tell_gone, net,
           link->peer.connection);
    link->peer.connection = ++net->last_connection;
    link->last_us[true] = 0;
    link->cut_until_us = now_us + cut_us;
}

void sim_link_renew(struct sim_link *link)
{
    sim_link_break(link, 0);
    lose(link, false, 1000);
}

void sim_net_broker_gone(struct sim_net *net)
{
    for (size_t i = 0; i < net->links; i++) {
        lose(net->link[i], true, 1000);
        lose(net->link[i], false, 300);
        net->link[i]->peer.connection = ++net->last_connection;
    }
}

void sim_net_heal(struct sim_net *net)
{
    net->lost_permille = 0;
    net->late_permille = 0;
    for (size_t i = 0; i < net->links; i++) {
        net->link[i]->cut_until_us = 0;
    }
}
