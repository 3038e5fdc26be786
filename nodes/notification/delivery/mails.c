#include "nodes/notification/delivery/mails.h"
#include "proto/base/address.h"
#include "proto/base/utf8.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PASSWORD_BYTES 256
#define PLAIN_BYTES    60 /* of a title that needs no folding */
#define WORD_BYTES     45 /* that an encoded word of at most 75 characters holds */
#define HEADERS_BYTES  ((size_t)64 * 1024)

/* A mail on its way. While its thread runs, nothing of it but `done` is looked at. */
struct letter {
    uint64_t id;
    CURL *easy;
    struct curl_slist *headers, *recipients;
    curl_mime *mime;
    struct dk_mails *mails;
    struct letter *next;
    pthread_t thread;
    CURLcode result;
    long reply;
    char error[CURL_ERROR_SIZE];
    atomic_bool done;
};

struct dk_mails {
    struct ev_loop *loop;
    struct ev_async some_done;
    const struct dk_config_smtp *smtp;
    struct letter *letters;
    atomic_bool ends;
    void (*on_done)(void *arg, uint64_t id, const struct dk_outcome *outcome);
    void *arg;
    char password[PASSWORD_BYTES];
};

/* ---------------------------------------------------------------- outcomes */

void dk_mail_judge(struct dk_outcome *outcome, CURLcode result, const char *error, long reply)
{
    enum { CLOSING = 421 }; /* the server goes away */
    if (result == CURLE_OK) {
        dk_outcome_set(outcome, DK_DELIVERED, "SMTP %ld", reply);
        return;
    }
    bool let_in = result != CURLE_LOGIN_DENIED && result != CURLE_USE_SSL_FAILED;
    bool refused = let_in && reply >= 400 && reply < 600;
    dk_outcome_set(outcome, refused && reply >= 500 ? DK_GIVE_UP : DK_TRY_AGAIN, "%s",
                   error[0] != '\0' ? error : curl_easy_strerror(result));
    outcome->alone = refused && reply != CLOSING;
}

/* ---------------------------------------------------------------- a thread a mail */

/* libcurl asks about once a second. */
static int is_over(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct dk_mails *mails = arg;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&mails->ends);
}

static void *run(void *arg)
{
    struct letter *letter = arg;
    letter->result = curl_easy_perform(letter->easy);
    (void)curl_easy_getinfo(letter->easy, CURLINFO_RESPONSE_CODE, &letter->reply);
    curl_easy_cleanup(letter->easy); /* says QUIT */
    atomic_store(&letter->done, true);
    ev_async_send(letter->mails->loop, &letter->mails->some_done);
    return NULL;
}

static void free_letter(struct letter *letter)
{
    curl_mime_free(letter->mime);
    curl_slist_free_all(letter->headers);
    curl_slist_free_all(letter->recipients);
    free(letter);
}

/* Waits for its thread. */
static void end_letter(struct letter *letter)
{
    struct letter **at = &letter->mails->letters;
    (void)pthread_join(letter->thread, NULL);
    while (*at != letter) {
        at = &(*at)->next;
    }
    *at = letter->next;
    free_letter(letter);
}

static struct letter *next_done(const struct dk_mails *mails)
{
    struct letter *letter = mails->letters;
    while (letter != NULL && !atomic_load(&letter->done)) {
        letter = letter->next;
    }
    return letter;
}

static void on_some_done(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_mails *mails = async->data;
    struct letter *letter;
    (void)loop;
    (void)revents;
    while ((letter = next_done(mails)) != NULL) {
        struct dk_outcome outcome;
        uint64_t id = letter->id;
        dk_mail_judge(&outcome, letter->result, letter->error, letter->reply);
        end_letter(letter);
        mails->on_done(mails->arg, id, &outcome); /* may send further ones */
    }
}

/* ---------------------------------------------------------------- headers */

static bool is_plain(const char *text)
{
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return bytes <= PLAIN_BYTES && strstr(text, "=?") == NULL;
}

void dk_mail_encode(const char *text, struct dk_buf *out)
{
    size_t bytes = strlen(text), take;
    if (is_plain(text)) {
        (void)dk_buf_append(out, text, bytes);
        return;
    }
    for (size_t at = 0; at < bytes; at += take) {
        char word[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
        take = dk_utf8_prefix(text + at, bytes - at < WORD_BYTES ? bytes - at : WORD_BYTES);
        if (take == 0) {
            return; /* no text */
        }
        (void)sodium_bin2base64(word, sizeof word, (const unsigned char *)text + at, take,
                                sodium_base64_VARIANT_ORIGINAL);
        (void)dk_buf_printf(out, "%s=?UTF-8?B?%s?=", at > 0 ? "\r\n " : "", word);
    }
}

/* One line of at most DK_MAIL_TITLE_BYTES, without control characters. */
static void clean_title(const char *title, char out[DK_MAIL_TITLE_BYTES + 1])
{
    (void)snprintf(out, DK_MAIL_TITLE_BYTES + 1, "%s", title);
    out[dk_utf8_prefix(out, strlen(out))] = '\0';
    for (char *at = out; *at != '\0'; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? ' ' : *at;
    }
}

static void add_header(struct letter *letter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_header(struct letter *letter, const char *format, ...)
{
    char line[4 * DK_MAIL_TITLE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    letter->headers = curl_slist_append(letter->headers, line);
    DK_ASSERT(letter->headers != NULL);
}

static void add_headers(const struct dk_mails *mails, struct letter *letter,
                        const struct dk_mail *mail)
{
    char title[DK_MAIL_TITLE_BYTES + 1], date[64];
    struct dk_buf subject;
    struct tm local;
    time_t now = time(NULL);
    clean_title(mail->title, title);
    dk_buf_init(&subject, HEADERS_BYTES);
    dk_mail_encode(title, &subject);
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &local));
    add_header(letter, "From: <%s>", mails->smtp->from);
    add_header(letter, "To: <%.*s>", (int)mail->address_bytes, mail->address);
    add_header(letter, "Subject: %s", dk_buf_string(&subject));
    add_header(letter, "Date: %s", date);
    add_header(letter, "Message-ID: <%016" PRIx64 ".docket@%s>", mail->id,
               strchr(mails->smtp->from, '@') + 1);
    add_header(letter, "Auto-Submitted: auto-generated");
    for (size_t i = 0; i < mail->notice_count; i++) {
        add_header(letter, "Docket-Notice: %016" PRIx64, mail->notice[i]);
    }
    dk_buf_close(&subject);
}

/* ---------------------------------------------------------------- sending */

/* A mailbox that there is room for. */
static bool is_address(const char *address, size_t bytes)
{
    return bytes < DK_MAIL_ADDRESS_BYTES && dk_address_is_mailbox(address, bytes);
}

/* Lines end as mails have them. */
static void add_text(struct letter *letter, const char *text)
{
    struct dk_buf lines;
    dk_buf_init(&lines, 2 * strlen(text) + 1);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n' && (at == text || at[-1] != '\r')) {
            (void)dk_buf_append(&lines, "\r", 1);
        }
        (void)dk_buf_append(&lines, at, 1);
    }
    letter->mime = curl_mime_init(letter->easy);
    curl_mimepart *part = curl_mime_addpart(letter->mime);
    DK_ASSERT(part != NULL);
    (void)curl_mime_data(part, (const char *)lines.data, lines.size);
    (void)curl_mime_type(part, "text/plain; charset=utf-8");
    (void)curl_mime_encoder(part, "quoted-printable");
    dk_buf_close(&lines);
}

/* A server that must have TLS is asked who it is; where TLS is a chance only, whoever could pose as
 * it could as well say that it has none. */
static void set_server(const struct dk_mails *mails, CURL *easy)
{
    const struct dk_config_smtp *smtp = mails->smtp;
    bool verified = smtp->tls_required;
    (void)curl_easy_setopt(easy, CURLOPT_URL, smtp->server);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL,
                           (long)(verified ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verified ? 1L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verified ? 2L : 0L);
    if (smtp->ca[0] != '\0') {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, smtp->ca);
    }
    if (smtp->user[0] != '\0') {
        (void)curl_easy_setopt(easy, CURLOPT_USERNAME, smtp->user);
        (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, mails->password);
    }
}

static void set_options(struct dk_mails *mails, struct letter *letter)
{
    CURL *easy = letter->easy;
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, letter->error);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)DK_MAIL_CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)DK_MAIL_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)DK_MAIL_REPLY_S);
    (void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, is_over);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, mails);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mails->smtp->from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, letter->recipients);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, letter->headers);
    (void)curl_easy_setopt(easy, CURLOPT_MIMEPOST, letter->mime);
    set_server(mails, easy);
}

static struct letter *write_letter(struct dk_mails *mails, const struct dk_mail *mail)
{
    char address[DK_MAIL_ADDRESS_BYTES + 2];
    struct letter *letter = calloc(1, sizeof *letter);
    DK_ASSERT(letter != NULL);
    letter->id = mail->id;
    letter->mails = mails;
    letter->easy = curl_easy_init();
    (void)snprintf(address, sizeof address, "<%.*s>", (int)mail->address_bytes, mail->address);
    letter->recipients = curl_slist_append(NULL, address);
    DK_ASSERT(letter->easy != NULL && letter->recipients != NULL);
    add_headers(mails, letter, mail);
    add_text(letter, mail->text);
    set_options(mails, letter);
    return letter;
}

bool dk_mails_send(struct dk_mails *mails, const struct dk_mail *mail, struct dk_outcome *outcome)
{
    bool configured = mails->smtp->server[0] != '\0';
    if (!configured || !is_address(mail->address, mail->address_bytes)) {
        dk_outcome_set(outcome, DK_GIVE_UP, "%s",
                       configured ? "the address is no mailbox"
                                  : "docket.yaml names no mail server (smtp)");
        return false;
    }
    struct letter *letter = write_letter(mails, mail);
    int code = pthread_create(&letter->thread, NULL, run, letter);
    if (code != 0) { /* the host is short of something, which passes */
        dk_outcome_set(outcome, DK_TRY_AGAIN, "no thread to send it: %s", strerror(code));
        curl_easy_cleanup(letter->easy);
        free_letter(letter);
        return false;
    }
    letter->next = mails->letters;
    mails->letters = letter;
    return true;
}

/* ---------------------------------------------------------------- life */

/* The file's first line; nobody but us may read it. */
static int read_password(struct dk_mails *mails, struct dk_err *err)
{
    const char *path = mails->smtp->password_file;
    struct stat st;
    FILE *file = path[0] != '\0' ? fopen(path, "re") : NULL;
    if (path[0] == '\0') {
        return 0;
    }
    if (file == NULL || fstat(fileno(file), &st) != 0) {
        int rc =
            dk_err_errno(err, DK_EIO, errno, "cannot read the mail server's password in %s", path);
        if (file != NULL) {
            (void)fclose(file);
        }
        return rc;
    }
    bool ours = (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    bool read = fgets(mails->password, sizeof mails->password, file) != NULL;
    (void)fclose(file);
    mails->password[strcspn(mails->password, "\r\n")] = '\0';
    if (!ours) {
        return dk_err_set(err, DK_EINVAL, "others may read the password in %s: chmod 600 it", path);
    }
    return read ? 0 : dk_err_set(err, DK_EINVAL, "there is no password in %s", path);
}

int dk_mails_new(struct dk_mails **mails, struct ev_loop *loop, const struct dk_config_smtp *smtp,
                 void (*on_done)(void *arg, uint64_t id, const struct dk_outcome *outcome),
                 void *arg, struct dk_err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return dk_err_set(err, DK_EIO, "libcurl does not start");
    }
    struct dk_mails *m = calloc(1, sizeof *m);
    DK_ASSERT(m != NULL);
    m->loop = loop;
    m->smtp = smtp;
    m->on_done = on_done;
    m->arg = arg;
    ev_async_init(&m->some_done, on_some_done);
    m->some_done.data = m;
    ev_async_start(loop, &m->some_done);
    *mails = m;
    int rc = read_password(m, err);
    if (rc != 0) {
        dk_mails_free(mails);
    }
    return rc;
}

void dk_mails_free(struct dk_mails **mails)
{
    struct dk_mails *m = *mails;
    if (m == NULL) {
        return;
    }
    atomic_store(&m->ends, true);
    while (m->letters != NULL) {
        end_letter(m->letters);
    }
    ev_async_stop(m->loop, &m->some_done);
    curl_global_cleanup();
    sodium_memzero(m->password, sizeof m->password);
    free(m);
    *mails = NULL;
}
