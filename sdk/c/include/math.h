/* What a plugin has of <math.h>: the functions that WebAssembly has an instruction for, so they
   give the same bits on every machine. There is no sin or pow. */
#ifndef ATELIER_MATH_H
#define ATELIER_MATH_H

static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline float floorf(float x) { return __builtin_floorf(x); }
static inline float ceilf(float x) { return __builtin_ceilf(x); }
static inline float truncf(float x) { return __builtin_truncf(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }
static inline double fabs(double x) { return __builtin_fabs(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline double ceil(double x) { return __builtin_ceil(x); }
static inline double trunc(double x) { return __builtin_trunc(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }

#endif
