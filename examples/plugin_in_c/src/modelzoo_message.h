/*
 * Reading and writing the messages of modelzoo.h: the part of MessagePack that they are made of.
 *
 * Nothing here is a part of the contract: any other library for MessagePack does as well.
 *
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 */
#ifndef MODELZOO_MESSAGE_H
#define MODELZOO_MESSAGE_H

#include "modelzoo.h"

#include <stdlib.h>
#include <string.h>

/* ---- Writing ---- */

/* A message that is being written: all zero to begin with. Where memory runs out, `has_failed` is set and stays. */
typedef struct modelzoo_writer {
    uint8_t *data;
    size_t length;
    size_t capacity;
    int has_failed;
} modelzoo_writer;

static inline void modelzoo_write_raw(modelzoo_writer *writer, const void *data, size_t length) {
    if (writer->has_failed || length == 0) {
        return;
    }
    if (writer->capacity - writer->length < length) {
        size_t capacity = (writer->length + length) * 2;
        uint8_t *data_now = (uint8_t *)realloc(writer->data, capacity);
        if (data_now == NULL) {
            writer->has_failed = 1;
            return;
        }
        writer->data = data_now;
        writer->capacity = capacity;
    }
    memcpy(writer->data + writer->length, data, length);
    writer->length += length;
}

/* A tag, and a number of `width` bytes after it, the highest first. */
static inline void modelzoo_write_tagged(modelzoo_writer *writer, uint8_t tag, uint64_t number, int width) {
    uint8_t bytes[9];
    int index;
    bytes[0] = tag;
    for (index = 0; index < width; index++) {
        bytes[1 + index] = (uint8_t)(number >> (8 * (width - 1 - index)));
    }
    modelzoo_write_raw(writer, bytes, (size_t)width + 1);
}

/* A map of so many keys, each of which is followed by its value. */
static inline void modelzoo_write_map(modelzoo_writer *writer, uint32_t count) {
    modelzoo_write_tagged(writer, 0xdf, count, 4);
}

/* A list of so many values. */
static inline void modelzoo_write_list(modelzoo_writer *writer, uint32_t count) {
    modelzoo_write_tagged(writer, 0xdd, count, 4);
}

static inline void modelzoo_write_text(modelzoo_writer *writer, const char *data, size_t length) {
    modelzoo_write_tagged(writer, 0xdb, length, 4);
    modelzoo_write_raw(writer, data, length);
}

/* A text that ends with a zero: a key, for example. */
static inline void modelzoo_write_string(modelzoo_writer *writer, const char *text) {
    modelzoo_write_text(writer, text, strlen(text));
}

static inline void modelzoo_write_uint(modelzoo_writer *writer, uint64_t number) {
    modelzoo_write_tagged(writer, 0xcf, number, 8);
}

static inline void modelzoo_write_double(modelzoo_writer *writer, double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    modelzoo_write_tagged(writer, 0xcb, bits, 8);
}

static inline void modelzoo_write_bool(modelzoo_writer *writer, int value) {
    modelzoo_write_tagged(writer, value ? 0xc3 : 0xc2, 0, 0);
}

static inline void modelzoo_write_nil(modelzoo_writer *writer) {
    modelzoo_write_tagged(writer, 0xc0, 0, 0);
}

/* ---- Giving back ---- */

/* Ends a call with a failure, and a text that is never freed: a literal. */
static inline modelzoo_status modelzoo_fail(modelzoo_reply *reply, modelzoo_status status, const char *text) {
    reply->message.data = (const uint8_t *)text;
    reply->message.length = strlen(text);
    return status;
}

/* Ends a call with what was written, which is the reply's from now on. */
static inline modelzoo_status modelzoo_finish(modelzoo_writer *writer, modelzoo_reply *reply) {
    if (writer->has_failed) {
        free(writer->data);
        return modelzoo_fail(reply, MODELZOO_FAILED, "there is no memory left");
    }
    reply->message.data = writer->data;
    reply->message.length = writer->length;
    reply->owner = writer->data;
    reply->release = free;
    return MODELZOO_DONE;
}

/* ---- Reading ---- */

/* A value of a message, and where the message ends. A value that is not there has no data. */
typedef struct modelzoo_value {
    const uint8_t *data;
    const uint8_t *end;
} modelzoo_value;

static inline modelzoo_value modelzoo_message(modelzoo_bytes bytes) {
    modelzoo_value value;
    value.data = bytes.length == 0 ? NULL : bytes.data;
    value.end = bytes.length == 0 ? NULL : bytes.data + bytes.length;
    return value;
}

/* What a value begins with. */
typedef enum modelzoo_kind {
    MODELZOO_NONE, /* there is nothing, or nothing that can be read */
    MODELZOO_NIL,
    MODELZOO_BOOL,
    MODELZOO_UINT,
    MODELZOO_INT,
    MODELZOO_FLOAT,
    MODELZOO_DOUBLE,
    MODELZOO_TEXT,
    MODELZOO_BINARY,
    MODELZOO_LIST,
    MODELZOO_MAP
} modelzoo_kind;

typedef struct modelzoo_head {
    modelzoo_kind kind;
    uint64_t number;     /* the number itself or its bits; a length in bytes; how many values or pairs there are */
    const uint8_t *rest; /* what follows the head: the bytes of a text, the first value of a list */
} modelzoo_head;

static inline modelzoo_head modelzoo_read_head(modelzoo_value value) {
    /* From 0xc4 on: what it is, and how many bytes its number has. */
    static const struct {
        uint8_t tag;
        uint8_t width;
        modelzoo_kind kind;
    } forms[] = {
        {0xc4, 1, MODELZOO_BINARY}, {0xc5, 2, MODELZOO_BINARY}, {0xc6, 4, MODELZOO_BINARY}, {0xca, 4, MODELZOO_FLOAT},
        {0xcb, 8, MODELZOO_DOUBLE}, {0xcc, 1, MODELZOO_UINT},   {0xcd, 2, MODELZOO_UINT},   {0xce, 4, MODELZOO_UINT},
        {0xcf, 8, MODELZOO_UINT},   {0xd0, 1, MODELZOO_INT},    {0xd1, 2, MODELZOO_INT},    {0xd2, 4, MODELZOO_INT},
        {0xd3, 8, MODELZOO_INT},    {0xd9, 1, MODELZOO_TEXT},   {0xda, 2, MODELZOO_TEXT},   {0xdb, 4, MODELZOO_TEXT},
        {0xdc, 2, MODELZOO_LIST},   {0xdd, 4, MODELZOO_LIST},   {0xde, 2, MODELZOO_MAP},    {0xdf, 4, MODELZOO_MAP},
    };
    modelzoo_head head = {MODELZOO_NONE, 0, NULL};
    size_t index, byte;
    uint8_t tag;
    if (value.data == NULL || value.data >= value.end) {
        return head;
    }
    tag = *value.data;
    head.rest = value.data + 1;
    if (tag < 0x80) {
        head.kind = MODELZOO_UINT, head.number = tag;
    } else if (tag < 0x90) {
        head.kind = MODELZOO_MAP, head.number = tag & 0x0fu;
    } else if (tag < 0xa0) {
        head.kind = MODELZOO_LIST, head.number = tag & 0x0fu;
    } else if (tag < 0xc0) {
        head.kind = MODELZOO_TEXT, head.number = tag & 0x1fu;
    } else if (tag == 0xc0) {
        head.kind = MODELZOO_NIL;
    } else if (tag == 0xc2 || tag == 0xc3) {
        head.kind = MODELZOO_BOOL, head.number = tag & 1u;
    } else if (tag >= 0xe0) {
        head.kind = MODELZOO_INT, head.number = (uint64_t)(int64_t)(int8_t)tag;
    }
    for (index = 0; index < sizeof forms / sizeof forms[0]; index++) {
        if (forms[index].tag == tag && (size_t)(value.end - head.rest) >= forms[index].width) {
            for (byte = 0; byte < forms[index].width; byte++) {
                head.number = head.number << 8 | *head.rest++;
            }
            head.kind = forms[index].kind;
            if (head.kind == MODELZOO_INT && forms[index].width < 8 && head.number >> (8 * forms[index].width - 1) != 0) {
                head.number |= ~(uint64_t)0 << (8 * forms[index].width);
            }
        }
    }
    if ((head.kind == MODELZOO_TEXT || head.kind == MODELZOO_BINARY) && head.number > (uint64_t)(value.end - head.rest)) {
        head.kind = MODELZOO_NONE;
    }
    return head;
}

/* The value after this one, in the list or map that both are in. */
static inline modelzoo_value modelzoo_next(modelzoo_value value) {
    uint64_t open = 1;
    while (open > 0 && value.data != NULL) {
        modelzoo_head head = modelzoo_read_head(value);
        open -= 1;
        value.data = head.kind == MODELZOO_NONE ? NULL : head.rest;
        if (head.kind == MODELZOO_TEXT || head.kind == MODELZOO_BINARY) {
            value.data += (size_t)head.number;
        } else if (head.kind == MODELZOO_LIST) {
            open += head.number;
        } else if (head.kind == MODELZOO_MAP) {
            open += 2 * head.number;
        }
    }
    return value;
}

/* How many values a list has, or pairs a map; 0 of all else. */
static inline size_t modelzoo_count(modelzoo_value value) {
    modelzoo_head head = modelzoo_read_head(value);
    return head.kind == MODELZOO_LIST || head.kind == MODELZOO_MAP ? (size_t)head.number : 0;
}

/* The first value of a list, or the first key of a map. */
static inline modelzoo_value modelzoo_first(modelzoo_value value) {
    modelzoo_head head = modelzoo_read_head(value);
    value.data = modelzoo_count(value) > 0 ? head.rest : NULL;
    return value;
}

/* A text; empty where the value is none. */
static inline modelzoo_text modelzoo_read_text(modelzoo_value value) {
    modelzoo_head head = modelzoo_read_head(value);
    modelzoo_text text = {NULL, 0};
    if (head.kind == MODELZOO_TEXT) {
        text.data = (const char *)head.rest;
        text.length = (size_t)head.number;
    }
    return text;
}

static inline int modelzoo_text_is(modelzoo_text text, const char *expected) {
    return text.length == strlen(expected) && (text.length == 0 || memcmp(text.data, expected, text.length) == 0);
}

/* The value of a key of a map; one without data where there is no such key. */
static inline modelzoo_value modelzoo_get(modelzoo_value map, const char *key) {
    modelzoo_value at = modelzoo_first(map);
    size_t left = modelzoo_read_head(map).kind == MODELZOO_MAP ? modelzoo_count(map) : 0;
    for (; left > 0 && at.data != NULL; left--) {
        modelzoo_value value = modelzoo_next(at);
        if (modelzoo_text_is(modelzoo_read_text(at), key)) {
            return value;
        }
        at = modelzoo_next(value);
    }
    at.data = NULL;
    return at;
}

/* Whether the value is a number that is not negative, which then is put into `number`. */
static inline int modelzoo_read_uint(modelzoo_value value, uint64_t *number) {
    modelzoo_head head = modelzoo_read_head(value);
    int is_there = head.kind == MODELZOO_UINT || (head.kind == MODELZOO_INT && (int64_t)head.number >= 0);
    if (is_there) {
        *number = head.number;
    }
    return is_there;
}

/* Whether the value is a number of any kind, which then is put into `number`. */
static inline int modelzoo_read_double(modelzoo_value value, double *number) {
    modelzoo_head head = modelzoo_read_head(value);
    float single;
    uint32_t bits = (uint32_t)head.number;
    switch (head.kind) {
    case MODELZOO_UINT:
        *number = (double)head.number;
        return 1;
    case MODELZOO_INT:
        *number = (double)(int64_t)head.number;
        return 1;
    case MODELZOO_FLOAT:
        memcpy(&single, &bits, sizeof single);
        *number = single;
        return 1;
    case MODELZOO_DOUBLE:
        memcpy(number, &head.number, sizeof *number);
        return 1;
    default:
        return 0;
    }
}

/* ---- Pictures ---- */

/* A picture of a request: rows of red, green, blue, the top one first. */
typedef struct modelzoo_image {
    size_t width;
    size_t height;
    const uint8_t *pixels; /* height x width x 3 bytes */
} modelzoo_image;

/* The list of the pictures of `predict/1`, `embed/1` and `preprocess/1`. */
static inline modelzoo_value modelzoo_images(const modelzoo_request *request) {
    return modelzoo_get(modelzoo_message(request->message), "images");
}

/* Whether `value`, out of that list, is a picture with all its pixels, which then is put into `image`. */
static inline int modelzoo_read_image(const modelzoo_request *request, modelzoo_value value, modelzoo_image *image) {
    uint64_t width, height, buffer;
    if (!modelzoo_read_uint(modelzoo_get(value, "width"), &width) ||
        !modelzoo_read_uint(modelzoo_get(value, "height"), &height) ||
        !modelzoo_read_uint(modelzoo_get(value, "buffer"), &buffer) || buffer >= request->buffer_count || width == 0 ||
        height > SIZE_MAX / 3 / width || request->buffers[buffer].length != width * height * 3) {
        return 0;
    }
    image->width = (size_t)width;
    image->height = (size_t)height;
    image->pixels = request->buffers[buffer].data;
    return 1;
}

#endif
