/**
 * Imported before onnxruntime-node wherever that is: onnxruntime reads the variable when its library is loaded. From 1.30 on its Linux library sends usage events to its maker over HTTPS;
 * threads that queue and send them have no place in a process that is measured, and nobody asked for them. A worker thread has a copy of the environment that the
 * library does not read: there the thread that starts it must have imported this.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';
