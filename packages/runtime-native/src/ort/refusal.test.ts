import { expect, test } from "vitest";
import { refusalOf } from "./refusal.ts";

test.each([
  ["Load model from m.onnx failed:system error number 24", "this process may open no more files"],
  ["Load model from m.onnx failed:system error number 13", "this user may not read it"],
  ["std::bad_alloc", "the system gives no memory"],
  ["Exception during initialization: bad allocation", "the system gives no memory"],
  ["Failed to allocate memory for requested buffer of size 4096", "the system gives no memory"],
  ["pthread_create failed, error code: 11 error msg: ", "the system gives no more threads"],
  ["Resource temporarily unavailable", "the system gives no more threads"],
  ["custom_create_thread_fn returned invalid handle.", "the system gives no more threads"],
])("%s is no fault of the model", (message, said) => {
  const error = refusalOf("m.onnx", new Error(message));
  expect(error.code).toBe("resources");
  expect(error.message).toContain(`m.onnx: ${said}`);
});

test("anything else is the model's", () => {
  const error = refusalOf("m.onnx", new Error("Protobuf parsing failed.\nmore"));
  expect(error).toMatchObject({
    code: "model-invalid",
    message: "m.onnx: ONNX Runtime refuses this model: Protobuf parsing failed.",
  });
});
