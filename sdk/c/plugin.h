/* What the author of an Atelier plugin in C includes.
 *
 * atelier.h has the interface itself, generated from sdk/wit/plugin.wit. This header adds what
 * every plugin writes anyway: reading parameters, answering, failing.
 *
 * A plugin defines two functions:
 *
 *   void exports_preparer_describe(exports_preparer_description_t *ret);
 *   bool exports_preparer_prepare(exports_preparer_request_t *request,
 *                                 exports_preparer_outcome_t *ret,
 *                                 exports_preparer_failure_t *err);
 *
 * Strings in what they give back may be literals (atelier_string_set) or memory from malloc. */
#ifndef ATELIER_PLUGIN_H
#define ATELIER_PLUGIN_H

#include "atelier.h"

/* PLUGIN_NAME, PLUGIN_VERSION and PLUGIN_SUMMARY of plugin.toml, and PLUGIN_PARAMETERS, the text of
 * parameters.schema.json: the build writes this file. */
#if defined(__has_include)
#if __has_include(<project.h>)
#include <project.h>
#endif
#endif

/* A literal, or any text that outlives the call, as a string of the interface. */
atelier_string_t text(const char *literal);

/* ---- Parameters -------------------------------------------------------------------------- */

/* One entry of the parameters' JSON object. */
typedef struct {
  const uint8_t *name, *name_end;   /* between its quotes, escapes and all */
  const uint8_t *value, *value_end; /* as it is written */
  bool asked;
} parameter_t;

/* More parameters than any plugin has. */
#define PARAMETERS_MOST 32

/* The parameters of a call. The functions below note the first thing that is wrong and go on, so
 * a plugin asks for everything first and then once whether all was well. */
typedef struct {
  parameter_t entries[PARAMETERS_MOST];
  size_t count;
  atelier_string_t wrong_name; /* of the first wrong parameter, empty where none is to blame */
  atelier_string_t wrong;      /* what is wrong with it; ptr is NULL while nothing is */
} parameters_t;

/* Reads the JSON object of a request. */
parameters_t parameters_of(const atelier_string_t *json);
/* An integer from `least` to `most`; `otherwise` where the job does not say. */
int32_t parameters_integer(parameters_t *from, const char *name, int32_t least, int32_t most,
                           int32_t otherwise);
/* A number from `least` to `most`. */
double parameters_number(parameters_t *from, const char *name, double least, double most,
                         double otherwise);
/* true or false. */
bool parameters_flag(parameters_t *from, const char *name, bool otherwise);
/* Which of the `choices`, a list that ends with NULL, counted from 0. */
size_t parameters_choice(parameters_t *from, const char *name, const char *const choices[],
                         size_t otherwise);
/* Whether all parameters that the job gives were asked for and right; if not, `err` says which is
 * wrong and how. */
bool parameters_done(const parameters_t *from, exports_preparer_failure_t *err);

/* ---- Answers ----------------------------------------------------------------------------- */

/* An outcome of one picture; words, keypoints and notes can be added. */
void outcome_picture(exports_preparer_outcome_t *ret, pictures_own_canvas_t picture);
/* Adds a fact for the picture's provenance. It is signed and public. */
void outcome_note(exports_preparer_outcome_t *ret, const char *key, const char *value);
/* The same with a whole number. */
void outcome_note_number(exports_preparer_outcome_t *ret, const char *key, int32_t value);

/* Why nothing came out, in words that the user reads. These return false, so that prepare can end
 * with `return fail_source(err, "...")`. */
bool fail_parameter(exports_preparer_failure_t *err, const char *name, const char *message);
bool fail_source(exports_preparer_failure_t *err, const char *message);
/* The host's own sentence, from a call that returned false. */
bool fail_refused(exports_preparer_failure_t *err, atelier_string_t refused);

/* The one picture of a request, or a failure that says what was there instead. */
bool only_picture(const exports_preparer_request_t *request, pictures_borrow_picture_t *picture,
                  exports_preparer_failure_t *err);

/* A line in the job's log: LOG_LEVEL_DEBUG, _INFO, _WARN or _ERROR. */
void say(log_level_t level, const char *line);

#endif
