/* A plugin that does what DEED names, which is wrong, and all else as it should. */
#include "modelzoo_message.h"

#include <stdio.h>

enum deed {
    NO_TABLE, NEWER, SHORT_TABLE, NO_LOAD,
    NOTHING_LOADED, NO_INFO, NO_CALL, SILENT, NOT_UTF8, INFO_NULL, INFO_ENDLESS, INFO_GARBAGE,
    BUFFERS_NULL, BUFFERS_ENDLESS, BUFFER_NULL, BUFFER_ENDLESS, ANSWER_GARBAGE, ANSWER_EMPTY,
    COUNTING
};

static const int deed = DEED;
static char log_path[4096];

static void note(const char *what) {
    FILE *log = deed == COUNTING ? fopen(log_path, "a") : NULL;
    if (log != NULL) {
        fprintf(log, "%s\n", what);
        fclose(log);
    }
}

static void note_owner(void *owner) {
    note(owner);
}

static const uint8_t garbage[] = {0xc1, 0xff, 0x00};
static const uint8_t no_info[] = {0x80};
/* [{done: "nothing"}] */
static const uint8_t nothing[] = "\x91\x81\xa4" "done" "\xa7" "nothing";
static const modelzoo_bytes null_buffer = {NULL, 4};
static const modelzoo_bytes endless_buffer = {garbage, SIZE_MAX};

static void say(modelzoo_reply *reply, const uint8_t *data, size_t length) {
    reply->message.data = data;
    reply->message.length = length;
}

static modelzoo_status info(const void *state, modelzoo_reply *reply) {
    static char owner[] = "info";
    (void)state;
    say(reply, no_info, sizeof no_info);
    reply->owner = owner;
    reply->release = note_owner;
    if (deed == INFO_NULL) {
        say(reply, NULL, 9);
    } else if (deed == INFO_ENDLESS) {
        say(reply, no_info, SIZE_MAX / 2);
    } else if (deed == INFO_GARBAGE) {
        say(reply, garbage, sizeof garbage);
    }
    return MODELZOO_DONE;
}

static modelzoo_status call(const void *state, const modelzoo_request *request, modelzoo_reply *reply) {
    static char owner[] = "answer";
    (void)state, (void)request;
    say(reply, nothing, sizeof nothing - 1);
    reply->owner = owner;
    reply->release = note_owner;
    if (deed == BUFFERS_NULL) {
        reply->buffer_count = 3;
    } else if (deed == BUFFERS_ENDLESS) {
        reply->buffers = &null_buffer;
        reply->buffer_count = SIZE_MAX;
    } else if (deed == BUFFER_NULL) {
        reply->buffers = &null_buffer;
        reply->buffer_count = 1;
    } else if (deed == BUFFER_ENDLESS) {
        reply->buffers = &endless_buffer;
        reply->buffer_count = 1;
    } else if (deed == ANSWER_GARBAGE) {
        say(reply, garbage, sizeof garbage);
    } else if (deed == ANSWER_EMPTY) {
        say(reply, NULL, 0);
    }
    return MODELZOO_DONE;
}

static void release(void *state) {
    (void)state;
    note("model");
}

static modelzoo_status load_model(const modelzoo_load *arguments, modelzoo_model *model, modelzoo_reply *reply) {
    if (arguments->path.length < sizeof log_path) {
        memcpy(log_path, arguments->path.data, arguments->path.length);
    }
    if (deed == SILENT) {
        return 77;
    }
    if (deed == NOT_UTF8) {
        return modelzoo_fail(reply, MODELZOO_FAILED, "it failed: \xff\xfe");
    }
    if (deed == NOTHING_LOADED) {
        return MODELZOO_DONE;
    }
    model->info = deed == NO_INFO ? NULL : info;
    model->call = deed == NO_CALL ? NULL : call;
    model->release = release;
    return MODELZOO_DONE;
}

const modelzoo_plugin_table *modelzoo_plugin(void) {
    static modelzoo_plugin_table table = {MODELZOO_CONTRACT, sizeof table, NULL, load_model};
    if (deed == NEWER) {
        table.contract = 2;
    } else if (deed == SHORT_TABLE) {
        table.size = 8;
    } else if (deed == NO_LOAD) {
        table.load_model = NULL;
    }
    return deed == NO_TABLE ? NULL : &table;
}
