/* assert() for plugins: where it stands and what it expected go to the job's log, and the call
   ends. */
#undef assert
#ifdef NDEBUG
#define assert(expected) ((void)0)
#else
_Noreturn void atelier_assertion_failed(const char *line);
#define ATELIER_TEXT_OF(number) #number
#define ATELIER_TEXT(number) ATELIER_TEXT_OF(number)
#define assert(expected) \
  ((expected) ? (void)0  \
              : atelier_assertion_failed(__FILE__ ":" ATELIER_TEXT(__LINE__) ": expected " #expected))
#endif
