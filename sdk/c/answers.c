/* What every plugin writes anyway: outcomes, failures, the one picture, a line in the log. */

#include "plugin.h"

#include <stdlib.h>
#include <string.h>

atelier_string_t text(const char *literal) {
  return (atelier_string_t){(uint8_t *)literal, strlen(literal)};
}

void outcome_picture(exports_preparer_outcome_t *ret, pictures_own_canvas_t picture) {
  memset(ret, 0, sizeof *ret);
  ret->pictures.ptr = malloc(sizeof picture);
  if (!ret->pictures.ptr) abort();
  ret->pictures.ptr[0] = picture;
  ret->pictures.len = 1;
}

static void add_note(exports_preparer_outcome_t *ret, const char *key, atelier_string_t value) {
  size_t count = ret->notes.len;
  exports_preparer_note_t *notes = realloc(ret->notes.ptr, (count + 1) * sizeof *notes);
  if (!notes) abort();
  notes[count].value = value;
  atelier_string_dup(&notes[count].key, key);
  ret->notes.ptr = notes;
  ret->notes.len = count + 1;
}

void outcome_note(exports_preparer_outcome_t *ret, const char *key, const char *value) {
  atelier_string_t copy;
  atelier_string_dup(&copy, value);
  add_note(ret, key, copy);
}

void outcome_note_number(exports_preparer_outcome_t *ret, const char *key, int32_t value) {
  char digits[12]; /* "-2147483648" and the end */
  char *at = digits + sizeof digits;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  *--at = 0;
  do {
    *--at = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest);
  if (value < 0) *--at = '-';
  outcome_note(ret, key, at);
}

bool fail_parameter(exports_preparer_failure_t *err, const char *name, const char *message) {
  err->tag = EXPORTS_PREPARER_FAILURE_PARAMETER;
  err->val.parameter.f0 = text(name);
  err->val.parameter.f1 = text(message);
  return false;
}

bool fail_source(exports_preparer_failure_t *err, const char *message) {
  err->tag = EXPORTS_PREPARER_FAILURE_SOURCE;
  err->val.source = text(message);
  return false;
}

bool fail_refused(exports_preparer_failure_t *err, atelier_string_t refused) {
  err->tag = EXPORTS_PREPARER_FAILURE_OTHER;
  err->val.other = refused;
  return false;
}

bool only_picture(const exports_preparer_request_t *request, pictures_borrow_picture_t *picture,
                  exports_preparer_failure_t *err) {
  if (request->sources.len != 1) {
    return fail_source(err, "this plugin takes one picture, and the reference names several files");
  }
  exports_preparer_source_t *only = &request->sources.ptr[0];
  if (only->tag != EXPORTS_PREPARER_SOURCE_PICTURE) {
    return fail_source(err, "this plugin takes a picture, and the reference is a document");
  }
  *picture = pictures_borrow_picture(only->val.picture);
  return true;
}

void say(log_level_t level, const char *line) {
  atelier_string_t string = text(line);
  log_write(level, &string);
}

/* For assert.h, which declares it where it is used. */
_Noreturn void atelier_assertion_failed(const char *line);
_Noreturn void atelier_assertion_failed(const char *line) {
  say(LOG_LEVEL_ERROR, line);
  abort();
}

/* The generated bindings call this to drag in an object file that describes the component. There
 * is none: the build adds the description itself. */
void __component_type_object_force_link_atelier(void);
void __component_type_object_force_link_atelier(void) {}
