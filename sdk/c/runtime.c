/* The little of a C library that a plugin needs. There is no WASI below it: whatever is not here
 * does not link, so a plugin that compiles imports nothing but Atelier's interfaces.
 *
 * The allocator is first fit over an address-ordered list of free blocks. An instance lives for
 * one call and most plugins hold a few strips of pixels, so the list stays short. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A native test of the allocator defines these three itself. */
#ifdef __wasm__
#define PAGE ((size_t)65536)
extern unsigned char __heap_base;
static uintptr_t heap_start(void) { return (uintptr_t)&__heap_base; }
static uintptr_t memory_end(void) { return __builtin_wasm_memory_size(0) * PAGE; }
static bool memory_grow(size_t bytes) {
  return __builtin_wasm_memory_grow(0, (bytes + PAGE - 1) / PAGE) != SIZE_MAX;
}
#endif

/* Before every block; a multiple of the alignment, so that what follows is aligned too. */
#define ALIGNMENT ((size_t)16)
typedef struct block {
  size_t size; /* with this header, a multiple of ALIGNMENT */
  struct block *next; /* only while it is free */
} __attribute__((aligned(16))) block;

static block *free_blocks; /* by address, no two of them touching */
static uintptr_t heap_end; /* where the last block ends; 0 before the first */

static uintptr_t end_of(const block *of) { return (uintptr_t)of + of->size; }

/* Takes `size` bytes off the end of the heap, growing the memory where it must. */
static block *extend(size_t size) {
  if (heap_end == 0) heap_end = (heap_start() + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
  if (size > UINTPTR_MAX - heap_end) return NULL;
  uintptr_t end = heap_end + size;
  if (end > memory_end() && !memory_grow(end - memory_end())) return NULL;
  block *fresh = (block *)heap_end;
  heap_end = end;
  fresh->size = size;
  return fresh;
}

void *malloc(size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  size_t needed = sizeof(block) + ((size + ALIGNMENT - 1) & ~(ALIGNMENT - 1));
  for (block **link = &free_blocks; *link; link = &(*link)->next) {
    block *found = *link;
    if (found->size < needed) continue;
    if (found->size - needed > sizeof(block)) {
      block *rest = (block *)((uintptr_t)found + needed);
      rest->size = found->size - needed;
      rest->next = found->next;
      found->size = needed;
      *link = rest;
    } else {
      *link = found->next;
    }
    return found + 1;
  }
  block *fresh = extend(needed);
  return fresh ? fresh + 1 : NULL;
}

void free(void *memory) {
  uintptr_t address = (uintptr_t)memory;
  if (heap_end == 0 || address < heap_start() || address >= heap_end) return;
  block *freed = (block *)memory - 1;
  block *before = NULL;
  block *after = free_blocks;
  while (after && after < freed) {
    before = after;
    after = after->next;
  }
  freed->next = after;
  if (after && end_of(freed) == (uintptr_t)after) {
    freed->size += after->size;
    freed->next = after->next;
  }
  if (before && end_of(before) == (uintptr_t)freed) {
    before->size += freed->size;
    before->next = freed->next;
  } else if (before) {
    before->next = freed;
  } else {
    free_blocks = freed;
  }
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *memory = malloc(bytes);
  return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *old, size_t size) {
  if (!old) return malloc(size);
  size_t had = ((block *)old - 1)->size - sizeof(block);
  if (size <= had) return old;
  void *fresh = malloc(size);
  if (!fresh) return NULL;
  memcpy(fresh, old, had);
  free(old);
  return fresh;
}

#ifdef __wasm__
/* With bulk memory these four are instructions: no loop, no recursion. */
void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  return __builtin_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size) { return __builtin_memmove(to, from, size); }

void *memset(void *to, int byte, size_t size) { return __builtin_memset(to, byte, size); }

_Noreturn void abort(void) { __builtin_trap(); }

int memcmp(const void *left, const void *right, size_t size) {
  const uint8_t *a = left, *b = right;
  for (size_t i = 0; i < size; i++) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

char *strchr(const char *text, int letter) {
  for (;; text++) {
    if (*text == (char)letter) return (char *)(uintptr_t)text;
    if (!*text) return NULL;
  }
}

int strncmp(const char *left, const char *right, size_t longest) {
  for (size_t i = 0; i < longest; i++) {
    uint8_t a = (uint8_t)left[i], b = (uint8_t)right[i];
    if (a != b) return a < b ? -1 : 1;
    if (a == 0) break;
  }
  return 0;
}

int strcmp(const char *left, const char *right) { return strncmp(left, right, SIZE_MAX); }
#endif
