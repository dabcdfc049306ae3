#include "stand_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MAPPINGS = 256, DEVICES = 8 };

enum step { NOTHING, CONTEXT, QUEUE, QPC, PROGRAM, LOADED, ACTIVE, READY, FILLED, QUEUED };

static enum step now = NOTHING;
static struct stand_in_mapping mappings[MOST_MAPPINGS];
static size_t mapping_count;
static struct stand_in_buffer given[MOST_MAPPINGS];
static int64_t kept;
static char message[256];

static void record(const char* call, const char* detail) {
  const char* path = getenv("QAIC_STAND_IN_LOG");
  FILE* log = path != NULL ? fopen(path, "a") : NULL;
  if (log == NULL) return;
  fprintf(log, "%s%s%s\n", call, *detail != 0 ? " " : "", detail);
  fclose(log);
}

static int fail(const char* what) {
  snprintf(message, sizeof message, "%s", what);
  return 1;
}

/* Whether this very call was told to fail; what the runtime is known to say then. */
static int told_to_fail(const char* call) {
  static const char* const words[][2] = {
      {"timeout", "Timeout waiting for completion on the data path"},
      {"reset", "the device was reset (SSR) while it ran"},
      {"busy", "not enough resources: device busy"},
      {"dims", "buffer dimensions match no specialization"},
      {"driver", "Failed to initialize driver"},
      {"qpc", "not a QPC"},
  };
  const char* told = getenv("QAIC_STAND_IN_FAIL");
  const size_t length = strlen(call);
  if (told == NULL || strncmp(told, call, length) != 0 || told[length] != ':') return 0;
  if (strcmp(told + length + 1, "abort") == 0) abort();
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(told + length + 1, words[i][0]) == 0) return fail(words[i][1]);
  return fail(told + length + 1);
}

static int step(const char* call, const char* detail, enum step from, enum step to) {
  record(call, detail);
  if (now != from) return fail("called out of order");
  if (told_to_fail(call)) return 1;
  now = to;
  return 0;
}

const char* stand_in_message(void) { return message; }

int stand_in_context(const int32_t* ids, size_t count) {
  char detail[128] = "";
  for (size_t i = 0; i < count; i++) {
    snprintf(detail + strlen(detail), sizeof detail - strlen(detail), "%s%d", i > 0 ? "," : "", ids[i]);
    if (ids[i] < 0 || ids[i] >= DEVICES) {
      record("context", detail);
      snprintf(message, sizeof message, "Invalid device:%d", ids[i]);
      return 1;
    }
  }
  return step("context", detail, NOTHING, CONTEXT);
}

int stand_in_queue(int32_t id) {
  char detail[16];
  snprintf(detail, sizeof detail, "%d", id);
  return step("queue", detail, CONTEXT, QUEUE);
}

int stand_in_qpc(const char* folder, const char* file) {
  if (step("qpc", file, QUEUE, QPC)) return 1;
  char path[4096];
  snprintf(path, sizeof path, "%s/mappings.txt", folder);
  FILE* list = fopen(path, "r");
  if (list == NULL) return fail("no such QPC");
  mapping_count = 0;
  char way[8];
  struct stand_in_mapping* one = mappings;
  while (mapping_count < MOST_MAPPINGS && fscanf(list, "%63s %u %7s %lu %u %d", one->name, &one->index, way, &one->bytes,
                                                 &one->dtype, &one->is_partial_allowed) == 6) {
    one->is_input = strcmp(way, "in") == 0;
    one = &mappings[++mapping_count];
  }
  fclose(list);
  return 0;
}

size_t stand_in_mappings(const struct stand_in_mapping** list) {
  record("mappings", "");
  *list = mappings;
  return mapping_count;
}

int stand_in_program(int32_t id, const char* mapping, uint32_t retry_ms, uint32_t data_path_ms) {
  char detail[160];
  snprintf(detail, sizeof detail, "%d mapping=%s retry=%u data=%u", id, mapping, retry_ms, data_path_ms);
  return step("program", detail, QPC, PROGRAM);
}

int stand_in_load(void) { return step("load", "", PROGRAM, LOADED); }
int stand_in_activate(void) { return step("activate", "", LOADED, ACTIVE); }
int stand_in_execution(void) { return step("execution", "", ACTIVE, READY); }

int stand_in_set_data(const struct stand_in_buffer* buffers, size_t count) {
  char detail[4096] = "";
  size_t at = 0;
  for (size_t i = 0; i < count && i < mapping_count && at + 128 < sizeof detail; i++) {
    at += (size_t)snprintf(detail + at, sizeof detail - at, "%s%.63s=", i > 0 ? " " : "", mappings[i].name);
    for (size_t d = 0; d < buffers[i].rank && at + 16 < sizeof detail; d++)
      at += (size_t)snprintf(detail + at, sizeof detail - at, "%s%u", d > 0 ? "x" : "", buffers[i].dims[d]);
  }
  if (step("setData", detail, READY, FILLED)) return 1;
  if (count != mapping_count) return fail("wrong number of buffers");
  memcpy(given, buffers, count * sizeof *buffers);
  return 0;
}

int stand_in_enqueue(void) { return step("enqueue", "", FILLED, QUEUED); }

int stand_in_wait(void) {
  if (step("wait", "", QUEUED, READY)) return 1;
  for (size_t i = 0; i < mapping_count; i++)
    if (strcmp(mappings[i].name, "input_ids") == 0)
      for (size_t at = 0; at + 8 <= given[i].bytes; at += 8) {
        int64_t id;
        memcpy(&id, given[i].data + at, 8);
        kept += id;
      }
  const float logit = (float)kept;
  for (size_t i = 0; i < mapping_count; i++)
    if (strcmp(mappings[i].name, "logits") == 0)
      for (size_t at = 0; at + 4 <= given[i].bytes; at += 4) memcpy(given[i].data + at, &logit, 4);
  return 0;
}

int stand_in_deactivate(void) { return step("deactivate", "", READY, LOADED); }
int stand_in_unload(void) { return step("unload", "", LOADED, QPC); }
