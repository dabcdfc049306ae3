#include "ort/api.h"

namespace llm::ort {

namespace {

template <typename Function>
void Take(Function& function, const void* const* table, size_t place) {
  function = reinterpret_cast<Function>(const_cast<void*>(table[place]));
}

}  // namespace

Api::Api(const void* const* table) {
  Take(create_status, table, 0);
  Take(error_message, table, 2);
  Take(create_env, table, 3);
  Take(create_session, table, 7);
  Take(create_session_from_memory, table, 8);
  Take(run, table, 9);
  Take(create_session_options, table, 10);
  Take(disable_pattern, table, 17);
  Take(enable_arena, table, 18);
  Take(disable_arena, table, 19);
  Take(set_log_severity, table, 22);
  Take(set_optimization_level, table, 23);
  Take(set_threads, table, 24);
  Take(create_op_domain, table, 26);
  Take(add_op, table, 27);
  Take(add_op_domain, table, 28);
  Take(input_count, table, 30);
  Take(output_count, table, 31);
  Take(input_type, table, 33);
  Take(output_type, table, 34);
  Take(input_name, table, 36);
  Take(output_name, table, 37);
  Take(create_tensor, table, 49);
  Take(tensor_data, table, 51);
  Take(tensor_of_type, table, 55);
  Take(element_type, table, 60);
  Take(rank, table, 61);
  Take(dimensions, table, 62);
  Take(symbols, table, 63);
  Take(tensor_of_value, table, 65);
  Take(cpu_memory, table, 69);
  Take(free, table, 76);
  Take(default_allocator, table, 78);
  Take(attribute, table, 86);
  Take(kernel_inputs, table, 88);
  Take(kernel_input, table, 90);
  Take(kernel_output, table, 91);
  Take(release_status, table, 93);
  Take(release_session, table, 95);
  Take(release_value, table, 96);
  Take(release_type, table, 98);
  Take(release_tensor, table, 99);
  Take(release_options, table, 100);
  Take(release_op_domain, table, 101);
  Take(add_config, table, 130);
  Take(register_allocator, table, 176);
  Take(set_create_thread, table, 196);
  Take(set_join_thread, table, 198);
  Take(kernel_input_name, table, 232);
  Take(constant_input, table, 249);
  Take(parallel_for, table, 274);
}

void Api::Check(Status* status) const {
  if (status == nullptr) return;
  const std::string message = error_message(status);
  release_status(status);
  throw Error(message);
}

}  // namespace llm::ort
