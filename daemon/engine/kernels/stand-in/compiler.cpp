// A run-time compiler without CUDA: what the engine asks of libnvrtc.so, done by the system's C++ compiler, which makes
// of the kernels' text an object that runs them in the emulator. driver.cpp loads it as a card's driver loads code.
//
// STAND_IN_KERNELS, as the compiler's definition or in the environment, is the folder of the kernels; CXX the compiler.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <unistd.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using Status = int;
constexpr Status ok = 0, out_of_memory = 1, compilation = 6;

struct Program { std::string text, log, code; };

const int known[] = {75, 80, 86, 89, 90};

// What stands behind the kernels: by its name, each is run, and the size of its argument is told.
std::string behind(const std::string& text) {
    static const std::regex kernel(R"(extern "C" __global__ void __launch_bounds__\([^)]*\) (\w+)\()");
    std::set<std::string> names;
    for (std::sregex_iterator at(text.begin(), text.end(), kernel), end; at != end; ++at) names.insert((*at)[1]);
    std::string runs, launch, size;
    for (const auto& name : names) {
        runs += "static void run_" + name + "(const void* args) { stand_in::call(" + name + ", args); }\n";
        launch += "    if (!strcmp(kernel, \"" + name + "\")) run = run_" + name + ";\n";
        size += "    if (!strcmp(kernel, \"" + name + "\")) return stand_in::size_of(" + name + ");\n";
    }
    return R"(
namespace stand_in {
template <class Args> void call(void (*kernel)(Args), const void* args) {
    Args copy;
    memcpy(&copy, args, sizeof copy);
    kernel(copy);
}
template <class Args> constexpr size_t size_of(void (*)(Args)) { return sizeof(Args); }
}
)" + runs + R"(
extern "C" __attribute__((visibility("default"))) const char* stand_in_launch(
    const char* kernel, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned shared, const void* args) {
    void (*run)(const void*) = nullptr;
)" + launch + R"(    return run ? emulate::launch({x, y, z}, threads, shared, run, args) : "no such kernel";
}
extern "C" __attribute__((visibility("default"))) size_t stand_in_size(const char* kernel) {
)" + size + "    return 0;\n}\n";
}

std::string whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string environment(const char* name, const char* otherwise) {
    const char* found = getenv(name);
    return found ? found : otherwise;
}

}  // namespace

EXPORT Status nvrtcVersion(int* major, int* minor) {
    *major = 12;
    *minor = 8;
    return ok;
}
EXPORT Status nvrtcGetNumSupportedArchs(int* count) {
    *count = static_cast<int>(std::size(known));
    return ok;
}
EXPORT Status nvrtcGetSupportedArchs(int* all) {
    memcpy(all, known, sizeof known);
    return ok;
}
EXPORT const char* nvrtcGetErrorString(Status status) {
    return status == compilation ? "NVRTC_ERROR_COMPILATION" : status == ok ? "NVRTC_SUCCESS" : "NVRTC_ERROR";
}
EXPORT Status nvrtcCreateProgram(void** program, const char* text, const char*, int, const char* const*,
                                 const char* const*) {
    *program = new Program{text, {}, {}};
    return ok;
}
EXPORT Status nvrtcDestroyProgram(void** program) {
    delete static_cast<Program*>(*program);
    *program = nullptr;
    return ok;
}
EXPORT Status nvrtcCompileProgram(void* given, int count, const char* const* options) {
    auto& program = *static_cast<Program*>(given);
    char folder[] = "/tmp/stand-in-XXXXXX";
    if (!mkdtemp(folder)) return out_of_memory;
    const std::string at = folder, source = at + "/unit.cpp", object = at + "/unit.so", log = at + "/log";
    std::ofstream(source) << "#include \"emulate/emulate.hpp\"\n" << program.text << behind(program.text);
    std::string command = environment("CXX", "c++") +
        " -O2 -std=c++17 -ffp-contract=off -fPIC -shared -fvisibility=hidden -w -DCUT_SUMS -I'" +
        environment("STAND_IN_KERNELS", STAND_IN_KERNELS) + "'";
    for (int i = 0; i < count; ++i)
        if (!strncmp(options[i], "-D", 2)) command += std::string(" ") + options[i];
    command += " '" + source + "' -o '" + object + "' >'" + log + "' 2>&1";
    const bool built = system(command.c_str()) == 0;
    program.log = whole(log);
    if (built) {
        const std::string code = whole(object);
        const size_t bytes = code.size();
        program.code = "STAND-IN" + std::string(reinterpret_cast<const char*>(&bytes), sizeof bytes) + code;
    }
    for (const auto& file : {source, object, log}) unlink(file.c_str());
    rmdir(folder);
    return built ? ok : compilation;
}
EXPORT Status nvrtcGetCUBINSize(void* program, size_t* bytes) {
    *bytes = static_cast<Program*>(program)->code.size();
    return ok;
}
EXPORT Status nvrtcGetCUBIN(void* program, char* to) {
    const auto& code = static_cast<Program*>(program)->code;
    memcpy(to, code.data(), code.size());
    return ok;
}
EXPORT Status nvrtcGetProgramLogSize(void* program, size_t* bytes) {
    *bytes = static_cast<Program*>(program)->log.size() + 1;
    return ok;
}
EXPORT Status nvrtcGetProgramLog(void* program, char* to) {
    const auto& log = static_cast<Program*>(program)->log;
    memcpy(to, log.c_str(), log.size() + 1);
    return ok;
}
