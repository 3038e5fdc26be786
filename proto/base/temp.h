/* Names for temporary files. */
#ifndef DK_BASE_TEMP_H
#define DK_BASE_TEMP_H

#include <stdbool.h>
#include <stddef.h>

/* "DIR/NAME." and the letters that mkdtemp(3) or mkstemp(3) will replace, as text in `path`. false:
 * it does not fit into `bytes`. */
bool dk_temp_name(char *path, size_t bytes, const char *dir, const char *name);

#endif
