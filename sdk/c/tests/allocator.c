/* The allocator of runtime.c on a fake memory: blocks never overlap, are aligned and keep their
 * bytes; what is freed is used again; the end of the memory is told by NULL. */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) uint8_t memory[1 << 20];
static size_t grown;

static uintptr_t heap_start(void) { return (uintptr_t)memory + 8; }
static uintptr_t memory_end(void) { return (uintptr_t)memory + grown; }
static bool memory_grow(size_t bytes) {
  if (bytes > sizeof memory - grown) return false;
  grown += bytes;
  return true;
}

#define malloc plugin_malloc
#define calloc plugin_calloc
#define realloc plugin_realloc
#define free plugin_free
#include "../runtime.c"

#define HELD 64
typedef struct {
  uint8_t *bytes;
  size_t size;
  uint8_t mark;
} holding;

static void check(const holding *of) {
  for (size_t i = 0; i < of->size; i++) assert(of->bytes[i] == of->mark);
}

int main(void) {
  /* The same on each run: a linear congruential sequence. */
  uint32_t state = 1;
  holding held[HELD] = {0};
  for (int step = 0; step < 200000; step++) {
    state = state * 1664525u + 1013904223u;
    holding *at = &held[(state >> 8) % HELD];
    size_t size = (state >> 16) % ((state & 64) ? 9000 : 60);
    if (at->bytes && (state & 128)) {
      check(at);
      uint8_t *moved = realloc(at->bytes, size);
      if (!moved) continue;
      at->bytes = moved;
      for (size_t i = 0; i < size && i < at->size; i++) assert(moved[i] == at->mark);
    } else {
      if (at->bytes) check(at);
      free(at->bytes);
      at->bytes = malloc(size);
      if (!at->bytes) size = 0;
    }
    at->size = size;
    at->mark = (uint8_t)step;
    assert((uintptr_t)at->bytes % 16 == 0);
    if (at->bytes) {
      assert(at->bytes > memory && at->bytes + size <= memory + grown);
      memset(at->bytes, at->mark, size);
    }
  }
  for (int i = 0; i < HELD; i++) {
    check(&held[i]);
    free(held[i].bytes);
  }
  /* All of it has come together again, into one block. */
  assert(free_blocks && !free_blocks->next && end_of(free_blocks) == heap_end);

  /* Sizes that would wrap round, and one byte more than there is. */
  assert(!malloc(SIZE_MAX) && !malloc(SIZE_MAX - 15) && !calloc(SIZE_MAX / 2, 3));
  assert(!malloc(sizeof memory));
  uint8_t *zeroed = calloc(100, 10);
  for (int i = 0; i < 1000; i++) assert(zeroed[i] == 0);
  free(zeroed);
  /* What never came from here is left alone. */
  free("a literal");
  free(NULL);
  return 0;
}
