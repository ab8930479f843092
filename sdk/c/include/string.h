/* What a plugin has of <string.h>; see runtime.c. */
#ifndef ATELIER_STRING_H
#define ATELIER_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
char *strchr(const char *text, int letter);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t longest);

#endif
