/* The parameters' reader, natively: what it reads, what it says of mistakes, and that no cut-off
 * or mangled text makes it leave its bounds (build with -fsanitize=address,undefined). */

#include "../plugin.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The two functions that the reader takes from the other files. */
atelier_string_t text(const char *literal) {
  return (atelier_string_t){(uint8_t *)literal, strlen(literal)};
}

void atelier_string_dup_n(atelier_string_t *ret, const char *s, size_t len) {
  static uint8_t copied[128];
  assert(len <= sizeof copied);
  ret->ptr = copied;
  memcpy(ret->ptr, s, len);
  ret->len = len;
}

#include "../parameters.c"

static const char *const MODES[] = {"crop", "pad", NULL};

typedef struct {
  int32_t side;
  double share;
  bool flag;
  size_t mode;
  bool good;
  char problem[600];
} outcome;

/* `json` is copied to memory of exactly its size, so that reading past it is noticed. */
static outcome read_bytes(const char *json, size_t length) {
  outcome out = {0};
  uint8_t *exact = malloc(length ? length : 1);
  memcpy(exact, json, length);
  atelier_string_t string = {exact, length};
  message.length = 0;
  parameters_t parameters = parameters_of(&string);
  out.side = parameters_integer(&parameters, "side", -16, 8192, 512);
  out.share = parameters_number(&parameters, "share", 0.25, 2.5, 1);
  out.flag = parameters_flag(&parameters, "flag", true);
  out.mode = parameters_choice(&parameters, "mode", MODES, 1);
  exports_preparer_failure_t err = {0};
  out.good = parameters_done(&parameters, &err);
  if (!out.good) {
    atelier_string_t name = err.val.parameter.f0, why = err.val.parameter.f1;
    snprintf(out.problem, sizeof out.problem, "%.*s: %.*s", (int)name.len, (char *)name.ptr,
             (int)why.len, (char *)why.ptr);
  }
  free(exact);
  return out;
}

static outcome read(const char *json) { return read_bytes(json, strlen(json)); }

static void expect_problem(const char *json, const char *problem) {
  outcome out = read(json);
  if (!out.good && strcmp(out.problem, problem) == 0) return;
  fprintf(stderr, "%s\n  gives    %s\n  expected %s\n", json, out.good ? "no problem" : out.problem,
          problem);
  exit(1);
}

int main(void) {
  outcome none = read(" { } ");
  assert(none.good && none.side == 512 && none.share == 1 && none.flag && none.mode == 1);

  const char *all = "{\"mode\":\"crop\", \"flag\" : false,\n\"share\":1.75e0,\"side\":-16}";
  outcome some = read(all);
  assert(some.good && some.side == -16 && some.share == 1.75 && !some.flag && some.mode == 0);

  assert(read("{\"share\":0.3}").share == 0.3);
  assert(read("{\"share\":2}").share == 2);
  assert(read("{\"share\":2500000000000000000000e-21}").share == 2.5);
  assert(read("{\"share\":0.0000001234e7}").share == 1.234);

  expect_problem("{\"side\":8193}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"side\":-17}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"side\":5.0}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"side\":99999999999999999999999}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"side\":-}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"side\":\"5\"}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"share\":2.51}", "share: expected a number from 0.25 to 2.5");
  expect_problem("{\"share\":1e}", "share: expected a number from 0.25 to 2.5");
  expect_problem("{\"share\":1e999999999}", "share: expected a number from 0.25 to 2.5");
  expect_problem("{\"share\":-1e-999999999}", "share: expected a number from 0.25 to 2.5");
  expect_problem("{\"share\":null}", "share: expected a number from 0.25 to 2.5");
  expect_problem("{\"flag\":1}", "flag: expected true or false");
  expect_problem("{\"mode\":\"squash\"}", "mode: expected crop or pad");
  expect_problem("{\"mode\":\"cropp\"}", "mode: expected crop or pad");
  /* The first is told, and an unknown one only where all others are right. */
  expect_problem("{\"flag\":1,\"side\":9000,\"x\":0}", "side: expected an integer from -16 to 8192");
  expect_problem("{\"x y\":{\"deep\":[1,{\"}\":\"]\\\"\"}]},\"side\":5}",
                 "x y: there is no such parameter");
  expect_problem("", ": not a JSON object");
  expect_problem("[1]", ": not a JSON object");
  expect_problem("{\"side\":5} 6", ": not a JSON object");
  expect_problem("{\"side\":5,}", ": not a JSON object");
  expect_problem("{\"side\" 5}", ": not a JSON object");

  char many[1024] = "{\"a\":0";
  for (int i = 0; i < PARAMETERS_MOST; i++) strcat(many, ",\"a\":0");
  strcat(many, "}");
  expect_problem(many, ": there are more than any plugin takes");

  /* Cut off anywhere, and with any one byte changed to any other. */
  char text_of[128];
  for (size_t length = 0; length < strlen(all); length++) assert(!read_bytes(all, length).good);
  for (size_t at = 0; at < strlen(all); at++) {
    for (int byte = 0; byte < 256; byte++) {
      memcpy(text_of, all, strlen(all));
      text_of[at] = (char)byte;
      read_bytes(text_of, strlen(all));
    }
  }
  return 0;
}
