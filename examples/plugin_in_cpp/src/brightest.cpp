// A model in C++: finds the brightest of the picture's ninths, and asks the host for nothing but to log that it was loaded.
//
// It has no options.
#include "modelzoo_message.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

namespace {

constexpr size_t PARTS = 3;

struct Box {
    double x, y, width, height, brightness;
};

class Brightest {
public:
    // The brightest of the parts of a picture that has at least as many columns and rows, and else the whole of it.
    Box find(const modelzoo_image &image) const {
        const size_t columns = std::min(PARTS, image.width), rows = std::min(PARTS, image.height);
        Box best = {0, 0, 0, 0, -1};
        for (size_t row = 0; row < rows; row++) {
            for (size_t column = 0; column < columns; column++) {
                const size_t left = column * image.width / columns, right = (column + 1) * image.width / columns;
                const size_t top = row * image.height / rows, bottom = (row + 1) * image.height / rows;
                const double brightness = mean(image, left, top, right, bottom);
                if (brightness > best.brightness) {
                    const double width = double(image.width), height = double(image.height);
                    best = {double(left) / width, double(top) / height, double(right - left) / width,
                            double(bottom - top) / height, brightness};
                }
            }
        }
        return best;
    }

private:
    static double mean(const modelzoo_image &image, size_t left, size_t top, size_t right, size_t bottom) {
        uint64_t sum = 0;
        for (size_t y = top; y < bottom; y++) {
            for (size_t index = (y * image.width + left) * 3; index < (y * image.width + right) * 3; index++) {
                sum += image.pixels[index];
            }
        }
        return double(sum) / double((right - left) * (bottom - top) * 3) / 255;
    }
};

// Exceptions end here: none may leave a function of the contract.
template <typename Body> modelzoo_status guarded(modelzoo_reply *reply, Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "there is no memory left");
    } catch (const std::exception &error) {
        modelzoo_writer text = {nullptr, 0, 0, 0};
        modelzoo_write_raw(&text, error.what(), std::char_traits<char>::length(error.what()));
        modelzoo_finish(&text, reply);
        return MODELZOO_FAILED;
    } catch (...) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "the plugin threw something that is no exception");
    }
}

// {done: {label: {_cls: "Detections", detections: [{label, bounding_box, confidence}]}}}
void write(modelzoo_writer &writer, const Box &box) {
    modelzoo_write_map(&writer, 1);
    modelzoo_write_string(&writer, "done");
    modelzoo_write_map(&writer, 1);
    modelzoo_write_string(&writer, "label");
    modelzoo_write_map(&writer, 2);
    modelzoo_write_string(&writer, "_cls");
    modelzoo_write_string(&writer, "Detections");
    modelzoo_write_string(&writer, "detections");
    modelzoo_write_list(&writer, 1);
    modelzoo_write_map(&writer, 3);
    modelzoo_write_string(&writer, "label");
    modelzoo_write_string(&writer, "brightest");
    modelzoo_write_string(&writer, "bounding_box");
    modelzoo_write_list(&writer, 4);
    for (double number : {box.x, box.y, box.width, box.height}) {
        modelzoo_write_double(&writer, number);
    }
    modelzoo_write_string(&writer, "confidence");
    modelzoo_write_double(&writer, box.brightness);
}

modelzoo_status info(const void *, modelzoo_reply *reply) {
    modelzoo_writer writer = {nullptr, 0, 0, 0};
    modelzoo_write_map(&writer, 2);
    modelzoo_write_string(&writer, "classes");
    modelzoo_write_list(&writer, 1);
    modelzoo_write_string(&writer, "brightest");
    modelzoo_write_string(&writer, "methods");
    modelzoo_write_list(&writer, 1);
    modelzoo_write_string(&writer, "predict/1");
    return modelzoo_finish(&writer, reply);
}

modelzoo_status call(const void *state, const modelzoo_request *request, modelzoo_reply *reply) {
    return guarded(reply, [&]() -> modelzoo_status {
        if (!modelzoo_text_is(request->method, "predict/1")) {
            return modelzoo_fail(reply, MODELZOO_UNSUPPORTED, "the model predicts pictures, and nothing else");
        }
        const Brightest &model = *static_cast<const Brightest *>(state);
        const modelzoo_value images = modelzoo_images(request);
        modelzoo_value at = modelzoo_first(images);
        modelzoo_writer writer = {nullptr, 0, 0, 0};
        modelzoo_write_list(&writer, uint32_t(modelzoo_count(images)));
        for (size_t left = modelzoo_count(images); left > 0; left--, at = modelzoo_next(at)) {
            modelzoo_image image;
            if (!modelzoo_read_image(request, at, &image)) {
                free(writer.data);
                throw std::invalid_argument("a picture has not all its pixels");
            }
            write(writer, model.find(image));
        }
        return modelzoo_finish(&writer, reply);
    });
}

void release(void *state) {
    delete static_cast<Brightest *>(state);
}

// Tells the user something, where anybody listens.
void log(const modelzoo_host &host, const std::string &text) {
    modelzoo_writer message = {nullptr, 0, 0, 0};
    modelzoo_write_map(&message, 2);
    modelzoo_write_string(&message, "level");
    modelzoo_write_string(&message, "info");
    modelzoo_write_string(&message, "message");
    modelzoo_write_text(&message, text.data(), text.size());
    modelzoo_request request = {sizeof(modelzoo_request), {"log/1", 5}, {message.data, message.length}, nullptr, 0};
    modelzoo_reply reply = {sizeof(modelzoo_reply), {nullptr, 0}, nullptr, 0, nullptr, nullptr};
    if (!message.has_failed) {
        host.call(host.context, &request, &reply);
    }
    if (reply.release != nullptr) {
        reply.release(reply.owner);
    }
    free(message.data);
}

modelzoo_status load_model(const modelzoo_load *arguments, modelzoo_model *model, modelzoo_reply *reply) {
    return guarded(reply, [&]() -> modelzoo_status {
        if (modelzoo_count(modelzoo_get(modelzoo_message(arguments->options), "settings")) > 0) {
            return modelzoo_fail(reply, MODELZOO_INVALID_OPTION, "the model has no options");
        }
        std::unique_ptr<Brightest> state(new Brightest());
        log(*arguments->host, "loading " + std::string(arguments->name.data, arguments->name.length));
        model->state = state.release();
        model->info = info;
        model->call = call;
        model->release = release;
        return MODELZOO_DONE;
    });
}

const modelzoo_plugin_table TABLE = {MODELZOO_CONTRACT, sizeof(modelzoo_plugin_table), nullptr, load_model};

} // namespace

// What src/lib.rs exports as `modelzoo_plugin`.
extern "C" const modelzoo_plugin_table *brightest_plugin() {
    return &TABLE;
}
