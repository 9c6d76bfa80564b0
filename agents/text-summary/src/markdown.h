// Turns Markdown (or plain text, which is the simplest Markdown) into blocks of readable prose.
#pragma once
#include "platform.h"

typedef enum { PROSE, ITEM, HEADING } Kind;

// A block is clean text without mark-up: `begin` to `end` in Prose.text.
typedef struct {
  u32 begin, end;
  Kind kind;
} Block;

typedef struct {
  Buffer text;
  Block *blocks;
  u32 count;
} Prose;

// Leaves out code, tables, images, comments, front matter and link targets. `text` must be UTF-8.
Prose read_markdown(Slice text);

// The text of one block without emphasis, links, tags and escapes, appended to `clean`.
void strip_inline(Slice raw, Buffer *clean, u32 *scratch);
