/* A static program as lower bound. It receives a request, posts its body unchanged to the webhook,
 * waits for the response, and answers. It has no JSON, levels, signature, check of the response,
 * TLS, limits or timeouts: a function that does its job cannot be faster.
 * Without DINGTALK_WEBHOOK it answers without a post.
 *
 * musl-gcc -O2 -static -o forwarder forwarder.c */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024 };

static struct sockaddr_in webhook;
static char host[64], path[512];
static int forwards;

/* Reads one message (head and Content-Length bytes of body). Returns the length of the head, or 0
 * at the end of the connection. */
static size_t receive(int fd, char *buffer, size_t *total) {
    size_t have = 0;
    for (;;) {
        ssize_t got = read(fd, buffer + have, BUFFER - 1 - have);
        if (got <= 0) return 0;
        have += (size_t)got;
        buffer[have] = 0;
        char *end = strstr(buffer, "\r\n\r\n");
        if (!end) continue;
        size_t head = (size_t)(end - buffer) + 4;
        char *length = strcasestr(buffer, "\r\ncontent-length:");
        size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
        if (head + body >= BUFFER) return 0;
        while (have < head + body) {
            got = read(fd, buffer + have, head + body - have);
            if (got <= 0) return 0;
            have += (size_t)got;
        }
        *total = have;
        return head;
    }
}

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(fd, (struct sockaddr *)&webhook, sizeof webhook)) { close(fd); return -1; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void *serve(void *argument) {
    int caller = (int)(intptr_t)argument, target = -1;
    char *in = malloc(BUFFER), *out = malloc(BUFFER + 1024);
    size_t total, head;
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nx-fc-status: 200\r\nContent-Length: 2\r\n\r\nok";
    while (in && out && (head = receive(caller, in, &total))) {
        if (forwards) {
            int length = sprintf(out,
                "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                path, host, total - head);
            memcpy(out + length, in + head, total - head);
            length += (int)(total - head);
            if (target < 0 && (target = dial()) < 0) break;
            if (write(target, out, (size_t)length) != length || !receive(target, out, &total)) break;
        }
        if (write(caller, answer, sizeof answer - 1) < 0) break;
    }
    if (target >= 0) close(target);
    close(caller);
    free(in);
    free(out);
    return NULL;
}

int main(void) {
    const char *url = getenv("DINGTALK_WEBHOOK"), *port = getenv("FC_SERVER_PORT");
    char address[48];
    unsigned webhook_port;
    if (url) {
        if (sscanf(url, "http://%47[0-9.]:%u%511s", address, &webhook_port, path) != 3) return 2;
        snprintf(host, sizeof host, "%s:%u", address, webhook_port);
        webhook.sin_family = AF_INET;
        webhook.sin_port = htons((uint16_t)webhook_port);
        inet_pton(AF_INET, address, &webhook.sin_addr);
        forwards = 1;
    }
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port ? port : "9000"))};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) || listen(listener, 128)) return 2;
    for (;;) {
        int caller = accept(listener, NULL, NULL);
        pthread_t thread;
        if (caller < 0) continue;
        setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)caller)) close(caller);
        else pthread_detach(thread);
    }
}
