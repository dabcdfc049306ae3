#ifndef LLM_QAIC_STAND_IN_H
#define LLM_QAIC_STAND_IN_H

#include <stddef.h>
#include <stdint.h>

/*
 * A library for tests that stands where the vendor's would: it records what is called (QAIC_STAND_IN_LOG), refuses calls that
 * come out of order, and fails when told to (QAIC_STAND_IN_FAIL="call:why"). A program's inputs and outputs are read from
 * mappings.txt beside the QPC. It keeps a running sum of the ids that it was given, as a device keeps its caches, and returns it
 * as every logit. Functions return 0, or a status; `stand_in_message` says what is behind it.
 */
#ifdef __cplusplus
extern "C" {
#endif

struct stand_in_mapping {
  char name[64];
  uint32_t index;
  int is_input;
  uint64_t bytes;
  uint32_t dtype;
  int is_partial_allowed;
};

struct stand_in_buffer {
  size_t bytes;
  uint8_t* data;
  uint32_t element_bytes;
  const uint32_t* dims;
  size_t rank;
};

int stand_in_context(const int32_t* ids, size_t count);
int stand_in_queue(int32_t id);
int stand_in_qpc(const char* folder, const char* file);
size_t stand_in_mappings(const struct stand_in_mapping** list);
int stand_in_program(int32_t id, const char* mapping, uint32_t retry_ms, uint32_t data_path_ms);
int stand_in_load(void);
int stand_in_activate(void);
int stand_in_execution(void);
int stand_in_set_data(const struct stand_in_buffer* buffers, size_t count);
int stand_in_enqueue(void);
int stand_in_wait(void);
int stand_in_deactivate(void);
int stand_in_unload(void);
const char* stand_in_message(void);

#ifdef __cplusplus
}
#endif

#endif
