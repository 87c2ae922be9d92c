#pragma once

#include <stddef.h>
#include <stdint.h>

// One neural network on OpenVINO's CPU device, on one thread. The libraries are opened at run time from a directory the
// caller names, so nothing here needs OpenVINO to build, link or start.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OpenVINOModel OpenVINOModel;

// Opens the libraries in `libraryDirectory` and compiles the ONNX model. Returns NULL and a reason on failure. Must be
// called before the process gives up reading files and starting threads.
OpenVINOModel *openvino_load(
    const char *libraryDirectory, const char *modelPath, char *problem, size_t problemCapacity);

// Runs the model on a batch of one image of 3 channels, planar floats. `output` points to steps × classes floats that
// stay valid until the next call. Returns 0, or -1 and a reason.
int32_t openvino_run(
    OpenVINOModel *model, float *input, int64_t height, int64_t width, const float **output, int64_t *steps,
    int64_t *classes, char *problem, size_t problemCapacity);

void openvino_free(OpenVINOModel *model);

#ifdef __cplusplus
}
#endif
