//! Runs small ONNX models on the processor, by name, within limits: what a plugin's `infer` asks
//! for.
