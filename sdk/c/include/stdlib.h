/* What a plugin has of <stdlib.h>; see runtime.c. */
#ifndef ATELIER_STDLIB_H
#define ATELIER_STDLIB_H

#include <stddef.h>

/* 16-byte aligned memory, or NULL where the host allows no more. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
/* Takes back what malloc gave. Leaves alone what never came from it, so that a string literal may
   stand wherever the bindings free a string. */
void free(void *memory);

/* Ends this call; the job fails and names the plugin. */
_Noreturn void abort(void);

static inline int abs(int value) { return value < 0 ? -value : value; }

#endif
