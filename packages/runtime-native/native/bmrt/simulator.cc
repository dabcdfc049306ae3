#include "bmrt/simulator.h"

#if defined(__linux__) && defined(__x86_64__)

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>

#include <cstring>

namespace llm::bmrt {

namespace {

// Looks for work end in this call. Not each rests: the one that works takes and gives mutexes, too.
int UnlockAndRest(pthread_mutex_t* mutex) {
  constexpr unsigned kLooks = 16;
  thread_local unsigned looks = 0;
  const int status = pthread_mutex_unlock(mutex);
  if (++looks % kLooks == 0) sched_yield();
  return status;
}

template <typename T>
const T* At(const link_map* library, ElfW(Addr) address) {
  // The loader adds the base to these entries; where it leaves them alone, they are smaller than it.
  return reinterpret_cast<const T*>(address < library->l_addr ? library->l_addr + address : address);
}

// Where the library keeps the address of a function of others that it calls; null where it calls none of that name.
void** SlotOf(const link_map* library, const char* name) {
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela)* calls = nullptr;
  size_t bytes = 0;
  for (const ElfW(Dyn)* entry = library->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_SYMTAB) symbols = At<ElfW(Sym)>(library, entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRTAB) names = At<char>(library, entry->d_un.d_ptr);
    if (entry->d_tag == DT_JMPREL) calls = At<ElfW(Rela)>(library, entry->d_un.d_ptr);
    if (entry->d_tag == DT_PLTRELSZ) bytes = entry->d_un.d_val;
    // Addresses that are all known from the start may not be written to afterwards.
    const bool isFixed = (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_BIND_NOW) != 0) ||
                         (entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_NOW) != 0) ||
                         entry->d_tag == DT_BIND_NOW;
    if (isFixed) return nullptr;
  }
  if (symbols == nullptr || names == nullptr || calls == nullptr) return nullptr;
  for (size_t i = 0; i < bytes / sizeof(*calls); i++)
    if (std::strcmp(names + symbols[ELF64_R_SYM(calls[i].r_info)].st_name, name) == 0)
      return reinterpret_cast<void**>(library->l_addr + calls[i].r_offset);
  return nullptr;
}

}  // namespace

void RestWhileWaiting(const std::string& simulator) {
  void* const library = dlopen(simulator.c_str(), RTLD_LAZY | RTLD_GLOBAL);
  link_map* map = nullptr;
  if (library == nullptr || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return;
  if (void** const slot = SlotOf(map, "pthread_mutex_unlock")) *slot = reinterpret_cast<void*>(&UnlockAndRest);
}

}  // namespace llm::bmrt

#else

namespace llm::bmrt {
void RestWhileWaiting(const std::string&) {}
}  // namespace llm::bmrt

#endif
