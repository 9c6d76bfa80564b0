// Reads the task and writes strings; strict JSON in strict UTF-8.
#pragma once
#include "platform.h"

typedef struct {
  Slice text;
  u32 sentences;
} Task;

// {"text": string, "sentences"?: 1..MAX_SENTENCES}; ends the program with a message on anything else.
Task read_task(Slice json);
void add_json_string(Buffer *buffer, Slice text);

#define DEFAULT_SENTENCES 3
#define MAX_SENTENCES 20
#define MAX_TEXT (1u << 20)
#define MAX_TASK (7u << 20) // every byte of the text may come as a six-byte escape
