// Switching between the fibres of the emulator. A switch is nearly all that a barrier costs there, so on the
// usual processor it is a few instructions in place, with no call whose return the processor would
// mispredict.
#pragma once

namespace emulate {

#if defined(__x86_64__)

struct Context {
    void* sp;
};

// Goes on where `to` was left; comes back when somebody switches to `from`. All registers but the frame
// pointer are named as overwritten, so the compiler keeps what it needs of them on the fibre's stack.
__attribute__((always_inline)) static inline void switch_context(Context* from, Context* to) {
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"  // the red zone of the ABI
        "pushq %%rbp\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "movq %%rsp, (%0)\n\t"
        "movq (%1), %%rsp\n\t"
        "popq %%rax\n\t"
        "jmpq *%%rax\n"
        "1:\n\t"
        "popq %%rbp\n\t"
        "leaq 128(%%rsp), %%rsp"
        : "+D"(from), "+S"(to)
        :
        : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
          "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
          "xmm14", "xmm15", "memory", "cc");
}

// The first switch to the context calls `entry`, which never returns. `stack` and `bytes` are multiples
// of 16.
static inline void make_context(Context& context, unsigned char* stack, size_t bytes, void (*entry)()) {
    void** top = reinterpret_cast<void**>(stack + bytes) - 2;  // aligned as the ABI wants it after a call
    top[0] = reinterpret_cast<void*>(entry);
    top[1] = nullptr;
    context.sp = top;
}

#else

struct Context {
    jmp_buf at;
    ucontext_t first;
    bool started = true;  // as the one that was never made, which is the caller's
};

__attribute__((noinline)) static void switch_context(Context* from, Context* to) {
    if (_setjmp(from->at)) return;
    if (to->started) _longjmp(to->at, 1);
    to->started = true;
    setcontext(&to->first);
}

static inline void make_context(Context& context, unsigned char* stack, size_t bytes, void (*entry)()) {
    getcontext(&context.first);
    context.first.uc_stack.ss_sp = stack;
    context.first.uc_stack.ss_size = bytes;
    makecontext(&context.first, entry, 0);
    context.started = false;
}

#endif

}  // namespace emulate
