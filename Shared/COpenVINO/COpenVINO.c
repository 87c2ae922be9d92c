#include "COpenVINO.h"

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The few declarations of OpenVINO's C API used here, so that its headers are not needed to build.
typedef struct {
    int64_t rank;
    int64_t *dims;
} Shape;

enum { elementF32 = 4 };

typedef struct {
    int (*core_create)(void **core);
    void (*core_free)(void *core);
    int (*core_read_model)(const void *core, const char *path, const char *weights, void **model);
    int (*core_compile_model)(
        const void *core, const void *model, const char *device, size_t argumentCount, void **compiled, ...);
    void (*model_free)(void *model);
    int (*compiled_model_create_infer_request)(const void *compiled, void **request);
    void (*compiled_model_free)(void *compiled);
    int (*infer_request_set_input_tensor_by_index)(void *request, size_t index, const void *tensor);
    int (*infer_request_get_output_tensor_by_index)(const void *request, size_t index, void **tensor);
    int (*infer_request_infer)(void *request);
    void (*infer_request_free)(void *request);
    int (*tensor_create_from_host_ptr)(int type, Shape shape, void *data, void **tensor);
    int (*tensor_get_shape)(const void *tensor, Shape *shape);
    int (*tensor_data)(const void *tensor, void **data);
    void (*tensor_free)(void *tensor);
    int (*shape_free)(Shape *shape);
    const char *(*get_last_err_msg)(void);
} API;

struct OpenVINOModel {
    void *library;
    API api;
    void *core;
    void *compiled;
    void *request;
    void *input;
    void *output;
};

static void explain(char *problem, size_t capacity, const char *what, const char *detail) {
    if (problem != NULL && capacity > 0) snprintf(problem, capacity, "%s: %s", what, detail ? detail : "no detail");
}

static void *openLibrary(const char *directory, char *problem, size_t capacity) {
    DIR *listing = opendir(directory);
    if (listing == NULL) {
        explain(problem, capacity, "OpenVINO's directory cannot be opened", directory);
        return NULL;
    }
    void *library = NULL;
    const char *detail = "there is no libopenvino_c.so in it";
    struct dirent *entry;
    // The file's name ends in a version in some distributions and not in others.
    while (library == NULL && (entry = readdir(listing)) != NULL) {
        if (strncmp(entry->d_name, "libopenvino_c.so", 16) != 0) continue;
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path) continue;
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) detail = dlerror();
    }
    if (library == NULL) explain(problem, capacity, "OpenVINO cannot be opened", detail);
    closedir(listing);
    return library;
}

static int resolve(void *library, API *api, char *problem, size_t capacity) {
    const struct {
        const char *name;
        void **place;
    } symbols[] = {
        {"ov_core_create", (void **)&api->core_create},
        {"ov_core_free", (void **)&api->core_free},
        {"ov_core_read_model", (void **)&api->core_read_model},
        {"ov_core_compile_model", (void **)&api->core_compile_model},
        {"ov_model_free", (void **)&api->model_free},
        {"ov_compiled_model_create_infer_request", (void **)&api->compiled_model_create_infer_request},
        {"ov_compiled_model_free", (void **)&api->compiled_model_free},
        {"ov_infer_request_set_input_tensor_by_index", (void **)&api->infer_request_set_input_tensor_by_index},
        {"ov_infer_request_get_output_tensor_by_index", (void **)&api->infer_request_get_output_tensor_by_index},
        {"ov_infer_request_infer", (void **)&api->infer_request_infer},
        {"ov_infer_request_free", (void **)&api->infer_request_free},
        {"ov_tensor_create_from_host_ptr", (void **)&api->tensor_create_from_host_ptr},
        {"ov_tensor_get_shape", (void **)&api->tensor_get_shape},
        {"ov_tensor_data", (void **)&api->tensor_data},
        {"ov_tensor_free", (void **)&api->tensor_free},
        {"ov_shape_free", (void **)&api->shape_free},
        {"ov_get_last_err_msg", (void **)&api->get_last_err_msg},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; ++i) {
        *symbols[i].place = dlsym(library, symbols[i].name);
        if (*symbols[i].place == NULL) {
            explain(problem, capacity, "OpenVINO lacks a function", symbols[i].name);
            return -1;
        }
    }
    return 0;
}

OpenVINOModel *openvino_load(
    const char *libraryDirectory, const char *modelPath, char *problem, size_t problemCapacity) {
    OpenVINOModel *model = calloc(1, sizeof *model);
    if (model == NULL) return NULL;
    model->library = openLibrary(libraryDirectory, problem, problemCapacity);
    if (model->library == NULL || resolve(model->library, &model->api, problem, problemCapacity) != 0) {
        openvino_free(model);
        return NULL;
    }
    const API *api = &model->api;
    void *network = NULL;
    int failed = api->core_create(&model->core);
    if (!failed) failed = api->core_read_model(model->core, modelPath, NULL, &network);
    if (!failed) {
        failed = api->core_compile_model(
            model->core, network, "CPU", 4, &model->compiled, "INFERENCE_NUM_THREADS", "1", "NUM_STREAMS", "1");
    }
    if (network != NULL) api->model_free(network);
    if (!failed) failed = api->compiled_model_create_infer_request(model->compiled, &model->request);
    if (failed) {
        explain(problem, problemCapacity, "the model cannot be loaded", api->get_last_err_msg());
        openvino_free(model);
        return NULL;
    }
    // Reading the model takes far more memory than running it; give it back.
    malloc_trim(0);
    return model;
}

int32_t openvino_run(
    OpenVINOModel *model, float *input, int64_t height, int64_t width, const float **output, int64_t *steps,
    int64_t *classes, char *problem, size_t problemCapacity) {
    const API *api = &model->api;
    if (model->input != NULL) api->tensor_free(model->input);
    if (model->output != NULL) api->tensor_free(model->output);
    model->input = NULL;
    model->output = NULL;
    int64_t dims[4] = {1, 3, height, width};
    const Shape shape = {4, dims};
    void *data = NULL;
    int failed = api->tensor_create_from_host_ptr(elementF32, shape, input, &model->input);
    if (!failed) failed = api->infer_request_set_input_tensor_by_index(model->request, 0, model->input);
    if (!failed) failed = api->infer_request_infer(model->request);
    if (!failed) failed = api->infer_request_get_output_tensor_by_index(model->request, 0, &model->output);
    Shape result = {0, NULL};
    if (!failed) failed = api->tensor_get_shape(model->output, &result);
    if (!failed) {
        if (result.rank == 3 && result.dims[0] == 1) {
            *steps = result.dims[1];
            *classes = result.dims[2];
            failed = api->tensor_data(model->output, &data);
        } else {
            failed = -1;
        }
        api->shape_free(&result);
    }
    if (failed) {
        explain(problem, problemCapacity, "the model did not run", api->get_last_err_msg());
        return -1;
    }
    *output = data;
    return 0;
}

void openvino_free(OpenVINOModel *model) {
    if (model == NULL) return;
    const API *api = &model->api;
    if (model->input != NULL) api->tensor_free(model->input);
    if (model->output != NULL) api->tensor_free(model->output);
    if (model->request != NULL) api->infer_request_free(model->request);
    if (model->compiled != NULL) api->compiled_model_free(model->compiled);
    if (model->core != NULL) api->core_free(model->core);
    // The library stays open: its threads may still be ending.
    free(model);
}
