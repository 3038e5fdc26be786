/* Descriptors: a server takes one for each connection, and anybody may connect before any key is
 * asked for.
 *
 * libzmq 4.3.4 ends the process when an ipc endpoint cannot accept for want of descriptors
 * (ipc_listener.cpp: EMFILE is not among what it expects), and over tcp tries again without pause.
 * So this file takes the place of the C library's accept4(2) in programs that link it: a connection
 * that would take one of the last DK_DESCRIPTORS_RESERVED is closed at once, which libzmq takes for
 * a peer that went away. The reserved ones are for files. */
#ifndef DK_PEER_DESCRIPTORS_H
#define DK_PEER_DESCRIPTORS_H

#include <stdint.h>

#define DK_DESCRIPTORS_RESERVED 64

/* As many as the system allows this process: the soft limit of most is 1,024. Once, at start. */
void dk_descriptors_raise(void);

/* Those of 0, 1 and 2 that are closed become /dev/null, so that no file of the log takes the number
 * that messages are written to. Reading and writing them fails, as before. Once, before any other
 * file is opened. */
void dk_descriptors_fill_standard(void);

/* How many connections were closed for want of descriptors. From any thread. */
uint64_t dk_descriptors_refused(void);

#endif
