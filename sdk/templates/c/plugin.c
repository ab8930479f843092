/* {{name}}: takes the colour out of a picture, so that the model sees its light and its forms. */

#include <plugin.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* As many rows at a time: a plugin's memory is limited, a picture's size is not. */
enum { ROWS = 64 };

void exports_preparer_describe(exports_preparer_description_t *ret) {
  static exports_preparer_source_kind_t takes[] = {EXPORTS_PREPARER_SOURCE_KIND_PICTURE};
  /* From plugin.toml and parameters.schema.json: the build writes project.h. */
  ret->name = text(PLUGIN_NAME);
  ret->version = text(PLUGIN_VERSION);
  ret->summary = text(PLUGIN_SUMMARY);
  ret->parameters = text(PLUGIN_PARAMETERS);
  ret->takes.ptr = takes;
  ret->takes.len = 1;
}

/* `strength` in percent: 100 leaves no colour, 0 all of it. Alpha stays as it is. */
static void fade(uint8_t *pixel, uint32_t strength) {
  /* Brightness as in ITU-R BT.601, in parts of 256. */
  uint32_t grey = (77u * pixel[0] + 150u * pixel[1] + 29u * pixel[2] + 128) >> 8;
  for (int channel = 0; channel < 3; channel++) {
    pixel[channel] = (uint8_t)((pixel[channel] * (100 - strength) + grey * strength + 50) / 100);
  }
}

bool exports_preparer_prepare(exports_preparer_request_t *request,
                              exports_preparer_outcome_t *ret, exports_preparer_failure_t *err) {
  parameters_t parameters = parameters_of(&request->parameters);
  int32_t strength = parameters_integer(&parameters, "strength", 0, 100, 100);
  if (!parameters_done(&parameters, err)) return false;

  pictures_borrow_picture_t picture;
  if (!only_picture(request, &picture, err)) return false;
  pictures_size_t size;
  pictures_method_picture_size(picture, &size);

  atelier_string_t refused;
  pictures_own_canvas_t canvas;
  if (!pictures_static_canvas_create(&size, &canvas, &refused)) return fail_refused(err, refused);

  for (uint32_t y = 0; y < size.height; y += ROWS) {
    pictures_region_t rows = {0, y, size.width, MIN(ROWS, size.height - y)};
    atelier_list_u8_t pixels;
    if (!pictures_method_picture_read(picture, &rows, &pixels, &refused)) {
      return fail_refused(err, refused);
    }
    for (size_t at = 0; at < pixels.len; at += 4) fade(pixels.ptr + at, (uint32_t)strength);
    if (!pictures_method_canvas_write(pictures_borrow_canvas(canvas), &rows, &pixels, &refused)) {
      return fail_refused(err, refused);
    }
    atelier_list_u8_free(&pixels);
    log_progress((float)(y + rows.height) / (float)size.height);
  }

  outcome_picture(ret, canvas);
  outcome_note_number(ret, "strength", strength);
  return true;
}
