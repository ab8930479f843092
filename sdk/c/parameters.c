/* Reads a flat JSON object of parameters, and says of what is wrong which parameter it was.
 *
 * The host has parsed and written the text itself, so it is valid JSON and plain letters are not
 * escaped; nothing here relies on it: every step stops at the text's end. */

#include "plugin.h"

#include <string.h>

typedef struct {
  const uint8_t *at, *end;
} cursor;

static bool is_space(uint8_t byte) {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* The next byte that is no white space, 0 at the end. */
static uint8_t peek(cursor *in) {
  while (in->at < in->end && is_space(*in->at)) in->at++;
  return in->at < in->end ? *in->at : 0;
}

static bool take(cursor *in, uint8_t byte) {
  if (peek(in) != byte) return false;
  in->at++;
  return true;
}

/* Leaves the cursor behind the closing quote. */
static bool skip_string(cursor *in) {
  if (!take(in, '"')) return false;
  while (in->at < in->end) {
    uint8_t byte = *in->at++;
    if (byte == '"') return true;
    if (byte == '\\' && in->at < in->end) in->at++;
  }
  return false;
}

/* A string, a number, a word, or an object or array with all that is in it. */
static bool skip_value(cursor *in) {
  size_t depth = 0;
  do {
    uint8_t byte = peek(in);
    const uint8_t *from = in->at;
    if (byte == '"') {
      if (!skip_string(in)) return false;
    } else if (byte == '{' || byte == '[') {
      in->at++;
      depth++;
    } else if (depth > 0 && (byte == '}' || byte == ']')) {
      in->at++;
      depth--;
    } else if (depth > 0 && (byte == ',' || byte == ':')) {
      in->at++;
    } else {
      while (in->at < in->end && !is_space(*in->at) && !strchr(",:{}[]\"", *in->at)) in->at++;
    }
    if (in->at == from) return false;
  } while (depth > 0);
  return true;
}

static void wrong(parameters_t *with, atelier_string_t name, atelier_string_t message) {
  if (with->wrong.ptr) return;
  with->wrong_name = name;
  with->wrong = message;
}

parameters_t parameters_of(const atelier_string_t *json) {
  parameters_t read = {0};
  cursor in = {json->ptr, json->ptr + json->len};
  bool whole = take(&in, '{');
  bool more = whole && !take(&in, '}');
  while (more) {
    parameter_t entry = {0};
    peek(&in);
    entry.name = in.at + 1;
    whole = skip_string(&in);
    entry.name_end = in.at - 1;
    whole = whole && take(&in, ':');
    peek(&in);
    entry.value = in.at;
    whole = whole && skip_value(&in);
    entry.value_end = in.at;
    if (!whole) break;
    if (read.count == PARAMETERS_MOST) {
      wrong(&read, text(""), text("there are more than any plugin takes"));
      return read;
    }
    read.entries[read.count++] = entry;
    more = take(&in, ',');
    if (!more) whole = take(&in, '}');
  }
  if (!whole || peek(&in) != 0) wrong(&read, text(""), text("not a JSON object"));
  return read;
}

/* The entry of a name, or NULL; marks it as asked for. */
static const parameter_t *find(parameters_t *from, const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; i < from->count; i++) {
    parameter_t *entry = &from->entries[i];
    if ((size_t)(entry->name_end - entry->name) == length &&
        memcmp(entry->name, name, length) == 0) {
      entry->asked = true;
      return entry;
    }
  }
  return NULL;
}

/* What is wrong, in words with numbers in them. One message is all that a call ever gives. */
static struct {
  uint8_t bytes[512];
  size_t length;
} message;

static void append(const char *words) {
  size_t room = sizeof message.bytes - message.length;
  size_t length = strlen(words);
  if (length > room) length = room;
  memcpy(message.bytes + message.length, words, length);
  message.length += length;
}

/* A bound as its author wrote it, to six decimals. */
static void append_number(double value) {
  char digits[40];
  char *at = digits + sizeof digits;
  *--at = 0;
  bool negative = value < 0;
  double size = negative ? -value : value;
  if (!(size < 1e12)) return append(negative ? "a very low number" : "a very high number");
  uint64_t millionths = (uint64_t)(size * 1e6 + 0.5);
  uint64_t whole = millionths / 1000000, part = millionths % 1000000;
  if (part) {
    int places = 6;
    for (; part % 10 == 0; part /= 10) places--;
    for (; places > 0; places--, part /= 10) *--at = (char)('0' + part % 10);
    *--at = '.';
  }
  do {
    *--at = (char)('0' + whole % 10);
    whole /= 10;
  } while (whole);
  if (negative) *--at = '-';
  append(at);
}

/* "expected {what} from {least} to {most}" */
static void wrong_range(parameters_t *with, const char *name, const char *what, double least,
                        double most) {
  if (with->wrong.ptr) return;
  append("expected ");
  append(what);
  append(" from ");
  append_number(least);
  append(" to ");
  append_number(most);
  wrong(with, text(name), (atelier_string_t){message.bytes, message.length});
}

int32_t parameters_integer(parameters_t *from, const char *name, int32_t least, int32_t most,
                           int32_t otherwise) {
  const parameter_t *entry = find(from, name);
  if (!entry) return otherwise;
  const uint8_t *at = entry->value;
  bool negative = at < entry->value_end && *at == '-';
  if (negative) at++;
  bool good = at < entry->value_end;
  int64_t value = 0;
  for (; good && at < entry->value_end; at++) {
    good = is_digit(*at) && value <= INT32_MAX;
    value = value * 10 + (*at - '0');
  }
  if (negative) value = -value;
  if (good && value >= least && value <= most) return (int32_t)value;
  wrong_range(from, name, "an integer", least, most);
  return otherwise;
}

/* A JSON number. Up to 15 digits and a power of ten up to 22 give the nearest double, because
 * both are exact and one operation rounds; longer ones may be off by the last bit. */
static bool number_of(const parameter_t *entry, double *value) {
  const uint8_t *at = entry->value, *end = entry->value_end;
  bool negative = at < end && *at == '-';
  if (negative) at++;
  uint64_t digits = 0;
  int32_t power = 0;
  size_t seen = 0;
  bool fraction = false;
  for (; at < end && (is_digit(*at) || (*at == '.' && !fraction)); at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    seen++;
    if (digits < UINT64_C(100000000000000000)) {
      digits = digits * 10 + (uint64_t)(*at - '0');
      power -= fraction;
    } else {
      power += !fraction;
    }
  }
  if (seen == 0) return false;
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    bool down = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end) return false;
    int32_t exponent = 0;
    for (; at < end && is_digit(*at); at++) {
      if (exponent < 10000) exponent = exponent * 10 + (*at - '0');
    }
    power += down ? -exponent : exponent;
  }
  double scale = 1;
  for (int32_t left = power < 0 ? -power : power; left > 0 && scale < 1e300; left--) scale *= 10;
  double size = power < 0 ? (double)digits / scale : (double)digits * scale;
  *value = negative ? -size : size;
  return at == end;
}

double parameters_number(parameters_t *from, const char *name, double least, double most,
                         double otherwise) {
  const parameter_t *entry = find(from, name);
  double value;
  if (!entry) return otherwise;
  if (number_of(entry, &value) && value >= least && value <= most) return value;
  wrong_range(from, name, "a number", least, most);
  return otherwise;
}

static bool reads(const parameter_t *entry, const char *words) {
  size_t length = strlen(words);
  return (size_t)(entry->value_end - entry->value) == length &&
         memcmp(entry->value, words, length) == 0;
}

bool parameters_flag(parameters_t *from, const char *name, bool otherwise) {
  const parameter_t *entry = find(from, name);
  if (!entry) return otherwise;
  if (reads(entry, "true")) return true;
  if (reads(entry, "false")) return false;
  wrong(from, text(name), text("expected true or false"));
  return otherwise;
}

size_t parameters_choice(parameters_t *from, const char *name, const char *const choices[],
                         size_t otherwise) {
  const parameter_t *entry = find(from, name);
  if (!entry) return otherwise;
  size_t length = (size_t)(entry->value_end - entry->value);
  for (size_t i = 0; choices[i]; i++) {
    size_t letters = strlen(choices[i]);
    if (length == letters + 2 && entry->value[0] == '"' &&
        memcmp(entry->value + 1, choices[i], letters) == 0) {
      return i;
    }
  }
  if (from->wrong.ptr) return otherwise;
  append("expected ");
  for (size_t i = 0; choices[i]; i++) {
    if (i > 0) append(choices[i + 1] ? ", " : " or ");
    append(choices[i]);
  }
  wrong(from, text(name), (atelier_string_t){message.bytes, message.length});
  return otherwise;
}

bool parameters_done(const parameters_t *from, exports_preparer_failure_t *err) {
  err->tag = EXPORTS_PREPARER_FAILURE_PARAMETER;
  if (from->wrong.ptr) {
    err->val.parameter.f0 = from->wrong_name;
    err->val.parameter.f1 = from->wrong;
    return false;
  }
  for (size_t i = 0; i < from->count; i++) {
    const parameter_t *entry = &from->entries[i];
    if (entry->asked) continue;
    size_t length = (size_t)(entry->name_end - entry->name);
    /* A copy, because what is given back is freed, and this lies in the middle of the request. */
    atelier_string_dup_n(&err->val.parameter.f0, (const char *)entry->name, length);
    err->val.parameter.f1 = text("there is no such parameter");
    return false;
  }
  return true;
}
