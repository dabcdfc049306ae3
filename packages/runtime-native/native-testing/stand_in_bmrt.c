/* The vendor's two libraries as far as we call them, with any number of devices and failures at will: for tests alone.
 * Memory is the host's. A "bmodel" is a text file: the line "nets N", then for each net "name inputs outputs floats". Instead of
 * how many floats each has there may be "-S" and then, for S stages, of each input and then of each output "type rank sizes…". A
 * net adds up its inputs, element by element, a short one again and again, and each output is that sum plus the output's number.
 * STAND_IN_DEVICES: how many devices; STAND_IN_FAIL: a function's name and the call that fails, "bm_malloc_device_byte:3";
 * STAND_IN_ABORT: the same, but the process ends as the vendor's assertions end it; STAND_IN_LOG: a file that calls go to;
 * STAND_IN_TRAFFIC: one for what is launched and how many bytes go to and from a device. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { uint64_t address; uint32_t reserved; int32_t dmabuf; uint32_t flags; uint32_t bytes; } Memory;
typedef struct { int32_t rank; int32_t dims[8]; } Shape;
typedef struct { int32_t dtype; Shape shape; Memory memory; int32_t store_mode; } Tensor;
typedef struct { Shape *in_shapes, *out_shapes; Memory *in_memory, *out_memory; } Stage;
typedef struct {
  const char *name; bool dynamic;
  int32_t inputs; const char **input_names; int32_t *input_dtypes; float *input_scales;
  int32_t outputs; const char **output_names; int32_t *output_dtypes; float *output_scales;
  int32_t stage_count; Stage *stages; size_t *max_in, *max_out; int32_t *zero_in, *zero_out, *device_in, *device_out;
#ifndef STAND_IN_OF_2023
  int32_t cores, address_mode;
#endif
} Net;
typedef struct { int number, held; } Handle;
typedef struct { Handle *handle; Net nets[64]; int count; } Runtime;

static int matches(const char *setting, const char *name) {
  static struct { const char *setting; int calls; } counts[2] = {{"STAND_IN_FAIL", 0}, {"STAND_IN_ABORT", 0}};
  const char *wanted = getenv(setting);
  const size_t length = strlen(name);
  if (wanted == NULL || strncmp(wanted, name, length) != 0 || wanted[length] != ':') return 0;
  for (int i = 0; i < 2; i++)
    if (strcmp(counts[i].setting, setting) == 0) return ++counts[i].calls == atoi(wanted + length + 1);
  return 0;
}

static int called(const char *name, int device) {
  const char *log = getenv("STAND_IN_LOG");
  if (log != NULL) {
    FILE *file = fopen(log, "a");
    fprintf(file, "%d %s\n", device, name);
    fclose(file);
  }
  if (matches("STAND_IN_ABORT", name)) {
    printf("noise on the output\n");
    fprintf(stderr, "ASSERT stand_in.c: %s: 1: 0\n", name);
    exit(255);
  }
  return matches("STAND_IN_FAIL", name);
}

/* "device launch net", "device in bytes", "device out bytes" */
static void noted(const Handle *handle, const char *what, const char *net, unsigned bytes) {
  const char *traffic = getenv("STAND_IN_TRAFFIC");
  if (traffic == NULL) return;
  FILE *file = fopen(traffic, "a");
  fprintf(file, "%d %s ", handle->number, what);
  if (net != NULL) fprintf(file, "%s\n", net);
  else fprintf(file, "%u\n", bytes);
  fclose(file);
}

int bm_dev_getcount(int *count) {
  const char *said = getenv("STAND_IN_DEVICES");
  *count = said == NULL ? 1 : atoi(said);
  return called("bm_dev_getcount", -1) ? 2 : 0;
}
int bm_dev_request(void **out, int number) {
  int count;
  bm_dev_getcount(&count);
  if (number >= count) { fprintf(stderr, "ASSERT dev_id < max_dev_cnt\n"); exit(255); }
  if (called("bm_dev_request", number)) return 1;
  Handle *handle = calloc(1, sizeof *handle);
  handle->number = number;
  *out = handle;
  return 0;
}
void bm_dev_free(void *of) {
  Handle *handle = of;
  called("bm_dev_free", handle->number);
  if (handle->held != 0) { fprintf(stderr, "ASSERT %d tensors leaked\n", handle->held); exit(255); }
  free(handle);
}
int bm_thread_sync(void *of) { return called("bm_thread_sync", ((Handle *)of)->number) ? 3 : 0; }
int bm_malloc_device_byte(void *of, Memory *out, unsigned bytes) {
  Handle *handle = of;
  if (called("bm_malloc_device_byte", handle->number)) return 5;
  memset(out, 0, sizeof *out);
  out->address = (uint64_t)(uintptr_t)malloc(bytes);
  out->bytes = bytes;
  handle->held++;
  return 0;
}
void bm_free_device(void *of, Memory memory) {
  Handle *handle = of;
  called("bm_free_device", handle->number);
  handle->held--;
  free((void *)(uintptr_t)memory.address);
}
static char *at(Memory memory, size_t offset) { return (char *)(uintptr_t)memory.address + offset; }
int bm_memcpy_s2d_partial_offset(void *of, Memory to, void *from, unsigned bytes, unsigned offset) {
  if (called("bm_memcpy_s2d_partial_offset", ((Handle *)of)->number)) return 6;
  noted(of, "in", NULL, bytes);
  memcpy(at(to, offset), from, bytes);
  return 0;
}
int bm_memcpy_d2s_partial_offset(void *of, void *to, Memory from, unsigned bytes, unsigned offset) {
  if (called("bm_memcpy_d2s_partial_offset", ((Handle *)of)->number)) return 6;
  noted(of, "out", NULL, bytes);
  memcpy(to, at(from, offset), bytes);
  return 0;
}
int bm_memcpy_d2d_byte(void *of, Memory to, size_t to_offset, Memory from, size_t from_offset, size_t bytes) {
  if (called("bm_memcpy_d2d_byte", ((Handle *)of)->number)) return 6;
  memmove(at(to, to_offset), at(from, from_offset), bytes);
  return 0;
}

void *bmrt_create(void *handle) {
  if (called("bmrt_create", ((Handle *)handle)->number)) return NULL;
  Runtime *runtime = calloc(1, sizeof *runtime);
  runtime->handle = handle;
  return runtime;
}
void bmrt_destroy(void *of) {
  called("bmrt_destroy", ((Runtime *)of)->handle->number);
  free(of);
}
void bmrt_set_flags(void *of, uint32_t flags) {
  (void)flags;
  called("bmrt_set_flags", ((Runtime *)of)->handle->number);
}
static Shape *shapes(int count, int floats, FILE *file, int32_t *dtypes) {
  Shape *list = calloc((size_t)count, sizeof *list);
  for (int i = 0; i < count; i++) {
    list[i] = (Shape){2, {1, floats}};
    if (floats > 0) continue;
    if (fscanf(file, "%d %d", &dtypes[i], &list[i].rank) != 2) return NULL;
    for (int d = 0; d < list[i].rank; d++)
      if (fscanf(file, "%d", &list[i].dims[d]) != 1) return NULL;
  }
  return list;
}
static const char **names(int count) {
  const char **list = calloc((size_t)count, sizeof *list);
  for (int i = 0; i < count; i++) list[i] = "port";
  return list;
}
bool bmrt_load_bmodel(void *of, const char *path) {
  Runtime *runtime = of;
  if (called("bmrt_load_bmodel", runtime->handle->number)) return false;
  FILE *file = fopen(path, "r");
  int count = 0;
  if (file == NULL || fscanf(file, "nets %d", &count) != 1) return false;
  for (int i = 0; i < count; i++) {
    Net *net = &runtime->nets[runtime->count++];
    char name[64];
    int floats;
    if (fscanf(file, "%63s %d %d %d", name, &net->inputs, &net->outputs, &floats) != 4) return false;
    net->name = strdup(name);
    net->input_names = names(net->inputs);
    net->output_names = names(net->outputs);
    net->input_dtypes = calloc((size_t)net->inputs, sizeof(int32_t));
    net->output_dtypes = calloc((size_t)net->outputs, sizeof(int32_t));
    net->stage_count = floats > 0 ? 1 : -floats;
    net->stages = calloc((size_t)net->stage_count, sizeof(Stage));
    for (int s = 0; s < net->stage_count; s++) {
      net->stages[s].in_shapes = shapes(net->inputs, floats, file, net->input_dtypes);
      net->stages[s].out_shapes = shapes(net->outputs, floats, file, net->output_dtypes);
      if (net->stages[s].in_shapes == NULL || net->stages[s].out_shapes == NULL) return false;
    }
#ifndef STAND_IN_OF_2023
    net->address_mode = 1;
#endif
  }
  fclose(file);
  return true;
}
int bmrt_get_network_number(void *of) { return ((Runtime *)of)->count; }
void bmrt_get_network_names(void *of, const char ***out) {
  Runtime *runtime = of;
  *out = calloc((size_t)runtime->count + 1, sizeof **out);
  for (int i = 0; i < runtime->count; i++) (*out)[i] = runtime->nets[i].name;
}
const Net *bmrt_get_network_info(void *of, const char *name) {
  Runtime *runtime = of;
  for (int i = 0; i < runtime->count; i++)
    if (strcmp(runtime->nets[i].name, name) == 0) return &runtime->nets[i];
  return NULL;
}
size_t bmrt_tensor_bytesize(const Tensor *tensor) {
  size_t bytes = 4;
  for (int i = 0; i < tensor->shape.rank; i++) bytes *= (size_t)tensor->shape.dims[i];
  return bytes;
}
bool bmrt_launch_tensor_ex(void *of, const char *name, const Tensor *in, int inputs, Tensor *out, int outputs, bool given,
                           bool stored) {
  if (called("bmrt_launch_tensor_ex", ((Runtime *)of)->handle->number) || !given || stored) return false;
  noted(((Runtime *)of)->handle, "launch", name, 0);
  size_t most = 0;
  for (int k = 0; k < outputs; k++)
    if (bmrt_tensor_bytesize(&out[k]) / 4 > most) most = bmrt_tensor_bytesize(&out[k]) / 4;
  for (size_t i = 0; i < most; i++) {
    float sum = 0;
    for (int k = 0; k < inputs; k++) sum += ((float *)at(in[k].memory, 0))[i % (bmrt_tensor_bytesize(&in[k]) / 4)];
    for (int k = 0; k < outputs; k++)
      if (i < bmrt_tensor_bytesize(&out[k]) / 4) ((float *)at(out[k].memory, 0))[i] = sum + (float)k;
  }
  return true;
}
#ifndef STAND_IN_OF_2023
bool bmrt_launch_tensor_multi_cores(void) { return false; }
#endif
