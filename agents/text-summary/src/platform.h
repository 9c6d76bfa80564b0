// Everything this agent asks of its host: three WASI functions and a memory that only grows.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define NORETURN __attribute__((noreturn))

// A run of bytes that somebody else owns.
typedef struct {
  const u8 *at;
  u32 size;
} Slice;

// Bytes that grow at their end; `add_*` ends the program when memory is used up.
typedef struct {
  u8 *at;
  u32 size;
  u32 room;
} Buffer;

// Zeroed memory, aligned to 16 bytes; never given back, because a run is over in milliseconds.
void *take(u32 size);
void copy(void *to, const void *from, u32 size);
int same(Slice left, Slice right);

Buffer new_buffer(u32 room);
void add_byte(Buffer *buffer, u8 byte);
void add_bytes(Buffer *buffer, Slice bytes);
void add_text(Buffer *buffer, const char *text);
void add_number(Buffer *buffer, u32 number);

// All of stdin; ends the program above `most` bytes.
Slice read_all(u32 most);
void write_all(i32 descriptor, const u8 *at, u32 size);

// Prints "text-summary: <message>" (and a byte offset when `at` is not NO_PLACE) on stderr and exits with code 1.
#define NO_PLACE 0xFFFFFFFFu
NORETURN void fail(const char *message, u32 at);
NORETURN void leave(u32 code);
