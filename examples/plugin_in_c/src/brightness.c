/*
 * A model in C: tells bright pictures from dark ones, and embeds a picture as its mean colour.
 *
 * Its only option is `threshold`, the mean brightness, 0 to 1, from which on a picture is bright.
 */
#include "modelzoo_message.h"

typedef struct model {
    double threshold;
} model;

static void mean_colour(const modelzoo_image *image, double mean[3]) {
    size_t count = image->width * image->height, index;
    uint64_t sums[3] = {0, 0, 0};
    for (index = 0; index < 3 * count; index++) {
        sums[index % 3] += image->pixels[index];
    }
    for (index = 0; index < 3; index++) {
        mean[index] = (double)sums[index] / (double)count / 255.0;
    }
}

/* The outcome for a picture whose pixels are not there. */
static void write_failure(modelzoo_writer *writer) {
    modelzoo_write_map(writer, 1);
    modelzoo_write_string(writer, "failed");
    modelzoo_write_map(writer, 2);
    modelzoo_write_string(writer, "kind");
    modelzoo_write_string(writer, "invalid_input");
    modelzoo_write_string(writer, "message");
    modelzoo_write_string(writer, "the picture has not all its pixels");
}

/* {done: {label: {_cls: "Classification", label, confidence}}} */
static void write_class(modelzoo_writer *writer, const char *label, double confidence) {
    modelzoo_write_map(writer, 1);
    modelzoo_write_string(writer, "done");
    modelzoo_write_map(writer, 1);
    modelzoo_write_string(writer, "label");
    modelzoo_write_map(writer, 3);
    modelzoo_write_string(writer, "_cls");
    modelzoo_write_string(writer, "Classification");
    modelzoo_write_string(writer, "label");
    modelzoo_write_string(writer, label);
    modelzoo_write_string(writer, "confidence");
    modelzoo_write_double(writer, confidence);
}

/* {done: {shape: [3], elements: {detached: {element_type: "f32", buffer}}}} */
static void write_vector(modelzoo_writer *writer, size_t buffer) {
    modelzoo_write_map(writer, 1);
    modelzoo_write_string(writer, "done");
    modelzoo_write_map(writer, 2);
    modelzoo_write_string(writer, "shape");
    modelzoo_write_list(writer, 1);
    modelzoo_write_uint(writer, 3);
    modelzoo_write_string(writer, "elements");
    modelzoo_write_map(writer, 1);
    modelzoo_write_string(writer, "detached");
    modelzoo_write_map(writer, 2);
    modelzoo_write_string(writer, "element_type");
    modelzoo_write_string(writer, "f32");
    modelzoo_write_string(writer, "buffer");
    modelzoo_write_uint(writer, buffer);
}

static modelzoo_status predict(const model *model, const modelzoo_request *request, modelzoo_reply *reply) {
    modelzoo_writer writer = {NULL, 0, 0, 0};
    modelzoo_value images = modelzoo_images(request), at = modelzoo_first(images);
    size_t count = modelzoo_count(images), index;
    modelzoo_write_list(&writer, (uint32_t)count);
    for (index = 0; index < count; index++, at = modelzoo_next(at)) {
        modelzoo_image image;
        double mean[3], brightness;
        if (!modelzoo_read_image(request, at, &image)) {
            write_failure(&writer);
            continue;
        }
        mean_colour(&image, mean);
        brightness = (mean[0] + mean[1] + mean[2]) / 3;
        if (brightness >= model->threshold) {
            write_class(&writer, "bright", 0.5 + brightness / 2);
        } else {
            write_class(&writer, "dark", 1 - brightness / 2);
        }
    }
    return modelzoo_finish(&writer, reply);
}

/* What the reply of `embed` points to. */
typedef struct embeddings {
    modelzoo_writer message;
    modelzoo_bytes *buffers;
    float (*numbers)[3];
} embeddings;

static void release_embeddings(void *owner) {
    embeddings *all = owner;
    free(all->message.data);
    free(all->buffers);
    free(all->numbers);
    free(all);
}

static modelzoo_status embed(const modelzoo_request *request, modelzoo_reply *reply) {
    modelzoo_value images = modelzoo_images(request), at = modelzoo_first(images);
    size_t count = modelzoo_count(images), index, channel;
    embeddings *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "there is no memory left");
    }
    /* Released in any case, whatever is in it by then. */
    reply->owner = all;
    reply->release = release_embeddings;
    all->buffers = calloc(count + 1, sizeof *all->buffers);
    all->numbers = calloc(count + 1, sizeof *all->numbers);
    if (all->buffers == NULL || all->numbers == NULL) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "there is no memory left");
    }
    modelzoo_write_list(&all->message, (uint32_t)count);
    for (index = 0; index < count; index++, at = modelzoo_next(at)) {
        modelzoo_image image;
        double mean[3];
        if (!modelzoo_read_image(request, at, &image)) {
            write_failure(&all->message);
            continue;
        }
        mean_colour(&image, mean);
        for (channel = 0; channel < 3; channel++) {
            all->numbers[index][channel] = (float)mean[channel];
        }
        all->buffers[index].data = (const uint8_t *)all->numbers[index];
        all->buffers[index].length = sizeof all->numbers[index];
        write_vector(&all->message, index);
    }
    if (all->message.has_failed) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "there is no memory left");
    }
    reply->message.data = all->message.data;
    reply->message.length = all->message.length;
    reply->buffers = all->buffers;
    reply->buffer_count = count;
    return MODELZOO_DONE;
}

static modelzoo_status call(const void *state, const modelzoo_request *request, modelzoo_reply *reply) {
    if (modelzoo_text_is(request->method, "predict/1")) {
        return predict(state, request, reply);
    }
    if (modelzoo_text_is(request->method, "embed/1")) {
        return embed(request, reply);
    }
    return modelzoo_fail(reply, MODELZOO_UNSUPPORTED, "the model predicts and embeds pictures");
}

static modelzoo_status info(const void *state, modelzoo_reply *reply) {
    modelzoo_writer writer = {NULL, 0, 0, 0};
    (void)state;
    modelzoo_write_map(&writer, 3);
    modelzoo_write_string(&writer, "classes");
    modelzoo_write_list(&writer, 2);
    modelzoo_write_string(&writer, "dark");
    modelzoo_write_string(&writer, "bright");
    modelzoo_write_string(&writer, "has_embeddings");
    modelzoo_write_bool(&writer, 1);
    modelzoo_write_string(&writer, "methods");
    modelzoo_write_list(&writer, 2);
    modelzoo_write_string(&writer, "predict/1");
    modelzoo_write_string(&writer, "embed/1");
    return modelzoo_finish(&writer, reply);
}

/* Whether all settings are known; `threshold` is changed where it is set. */
static int read_settings(modelzoo_value settings, double *threshold) {
    modelzoo_value key = modelzoo_first(settings);
    size_t left = modelzoo_count(settings);
    for (; left > 0; left--) {
        modelzoo_value value = modelzoo_next(key);
        if (!modelzoo_text_is(modelzoo_read_text(key), "threshold") || !modelzoo_read_double(value, threshold)) {
            return 0;
        }
        key = modelzoo_next(value);
    }
    return 1;
}

static modelzoo_status load_model(const modelzoo_load *arguments, modelzoo_model *loaded, modelzoo_reply *reply) {
    double threshold = 0.5;
    model *state;
    if (!read_settings(modelzoo_get(modelzoo_message(arguments->options), "settings"), &threshold)) {
        return modelzoo_fail(reply, MODELZOO_INVALID_OPTION, "the only option is threshold, a number");
    }
    state = malloc(sizeof *state);
    if (state == NULL) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "there is no memory left");
    }
    state->threshold = threshold;
    loaded->state = state;
    loaded->info = info;
    loaded->call = call;
    loaded->release = free;
    return MODELZOO_DONE;
}

static const modelzoo_plugin_table TABLE = {MODELZOO_CONTRACT, sizeof(modelzoo_plugin_table), NULL, load_model};

/* What src/lib.rs exports as `modelzoo_plugin`. */
const modelzoo_plugin_table *brightness_plugin(void);

const modelzoo_plugin_table *brightness_plugin(void) {
    return &TABLE;
}
