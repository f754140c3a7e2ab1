/*
 * The modelzoo plugin contract for C, and for every language that can be called from it. Version 1.
 *
 * A plugin exports one function, `modelzoo_plugin`, which gives a table of functions. Put a copy of this file into your
 * source: it is frozen, so a copy never gets old. ABI.md says in words what crosses; modelzoo_message.h, beside this file,
 * reads and writes its messages.
 *
 * What holds throughout:
 * - The first member of each structure is its size, set by whoever makes it, or, of the table, the contract's version. Later
 *   versions only add members at the end: whoever reads one looks at the size before it reads a member that version 1
 *   has not.
 * - Text is UTF-8 with a length, and no zero at its end.
 * - What a function is given is lent until it returns. What it gives belongs to whoever gave it, until `release` is called.
 * - No exception, longjmp or other unwinding leaves a function.
 *
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 */
#ifndef MODELZOO_H
#define MODELZOO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this contract. */
#define MODELZOO_CONTRACT 1u

#if defined(_WIN32)
#define MODELZOO_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define MODELZOO_EXPORT __attribute__((visibility("default")))
#else
#define MODELZOO_EXPORT
#endif

/* How a call ended. A number that the host does not know counts as MODELZOO_FAILED. */
typedef int32_t modelzoo_status;
#define MODELZOO_DONE 0           /* it worked: the reply is the answer */
#define MODELZOO_FAILED 1         /* it did not: the message of the reply is a text for people, in one line */
#define MODELZOO_UNSUPPORTED 2    /* there is no such method */
#define MODELZOO_INVALID_INPUT 3  /* this input cannot be used; others may */
#define MODELZOO_INVALID_OPTION 4 /* an option is unknown or has a wrong value, or there is no model of that name */
#define MODELZOO_WEIGHTS 5        /* the weights are missing or cannot be read */
#define MODELZOO_CANCELLED 6      /* the user stopped it */

/* A text. `data` may be null where `length` is 0. */
typedef struct modelzoo_text {
    const char *data;
    size_t length;
} modelzoo_text;

/* Bytes: a message, or numbers in native order. `data` may be null where `length` is 0. */
typedef struct modelzoo_bytes {
    const uint8_t *data;
    size_t length;
} modelzoo_bytes;

/* A call of a named method. */
typedef struct modelzoo_request {
    size_t size;
    modelzoo_text method;          /* name and version: "predict/1" */
    modelzoo_bytes message;        /* the arguments, in MessagePack */
    const modelzoo_bytes *buffers; /* bulk data, referred to by index from the message */
    size_t buffer_count;
} modelzoo_request;

/*
 * What comes back. The caller sets `size`, and all else to zero; who is called fills in what there is. The caller reads it,
 * and then calls `release` with `owner`, once and from any thread, unless `release` is null.
 */
typedef struct modelzoo_reply {
    size_t size;
    modelzoo_bytes message;        /* the result, in MessagePack; a text where the status is not MODELZOO_DONE */
    const modelzoo_bytes *buffers; /* bulk data, referred to by index from the message */
    size_t buffer_count;
    void *owner;
    void (*release)(void *owner);
} modelzoo_reply;

/* The services of the host. The table stays valid until the process ends; any thread may call them. */
typedef struct modelzoo_host {
    size_t size;
    const void *context;
    modelzoo_status (*call)(const void *context, const modelzoo_request *request, modelzoo_reply *reply);
} modelzoo_host;

/* What is to be downloaded: a model by name, to the absolute path of a file or folder. */
typedef struct modelzoo_download {
    size_t size;
    modelzoo_text name;
    modelzoo_text path;
    const modelzoo_host *host;
} modelzoo_download;

/* What is to be loaded: a model by name, from the absolute path of its weights. */
typedef struct modelzoo_load {
    size_t size;
    modelzoo_text name;
    modelzoo_text path;
    modelzoo_bytes options; /* a map: `device`, `settings` */
    const modelzoo_host *host;
} modelzoo_load;

/*
 * A loaded model. The host sets `size`, and all else to zero; `load_model` fills in the functions, all of them, and the
 * state that they are called with. Several threads may call `info` and `call` at once; `release` is called once, last.
 */
typedef struct modelzoo_model {
    size_t size;
    void *state;
    modelzoo_status (*info)(const void *state, modelzoo_reply *reply);
    modelzoo_status (*call)(const void *state, const modelzoo_request *request, modelzoo_reply *reply);
    void (*release)(void *state);
} modelzoo_model;

/* What a plugin exports. */
typedef struct modelzoo_plugin_table {
    uint32_t contract; /* MODELZOO_CONTRACT */
    size_t size;       /* sizeof(modelzoo_plugin_table) */
    /* May be null: the manifest then says where the weights are. `reply` is for the text of a failure. */
    modelzoo_status (*download_model)(const modelzoo_download *arguments, modelzoo_reply *reply);
    /* Fills in `model`, or else the text of a failure. */
    modelzoo_status (*load_model)(const modelzoo_load *arguments, modelzoo_model *model, modelzoo_reply *reply);
} modelzoo_plugin_table;

/* The one function that a plugin exports. The table stays valid until the process ends. */
MODELZOO_EXPORT const modelzoo_plugin_table *modelzoo_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
