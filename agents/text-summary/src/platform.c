// The host's side: WASI calls, an arena on linear memory, growing buffers.
#include "platform.h"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

typedef struct {
  u8 *at;
  u32 size;
} Vector;

WASI("fd_read") i32 fd_read(i32 descriptor, const Vector *vectors, u32 count, u32 *done);
WASI("fd_write") i32 fd_write(i32 descriptor, const Vector *vectors, u32 count, u32 *done);
WASI("proc_exit") NORETURN void proc_exit(u32 code);

#define PAGE 65536u

extern u8 __heap_base;
static u32 next;

void *take(u32 size) {
  if (next == 0) next = ((u32)&__heap_base + 15) & ~15u;
  u32 have = (u32)__builtin_wasm_memory_size(0) * PAGE;
  if (size > 0x7FFFFFFFu - next) fail("out of memory", NO_PLACE);
  u32 end = (next + size + 15) & ~15u;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == (unsigned long)-1)
    fail("out of memory", NO_PLACE);
  void *taken = (void *)next;
  next = end;
  return taken;
}

void copy(void *to, const void *from, u32 size) { __builtin_memcpy(to, from, size); }

int same(Slice left, Slice right) {
  if (left.size != right.size) return 0;
  for (u32 i = 0; i < left.size; i++)
    if (left.at[i] != right.at[i]) return 0;
  return 1;
}

Buffer new_buffer(u32 room) { return (Buffer){.at = take(room), .size = 0, .room = room}; }

static void make_room(Buffer *buffer, u32 more) {
  if (buffer->room - buffer->size >= more) return;
  u32 room = 2 * buffer->room + more;
  u8 *at = take(room);
  copy(at, buffer->at, buffer->size);
  buffer->at = at;
  buffer->room = room;
}

void add_byte(Buffer *buffer, u8 byte) {
  make_room(buffer, 1);
  buffer->at[buffer->size++] = byte;
}

void add_bytes(Buffer *buffer, Slice bytes) {
  make_room(buffer, bytes.size);
  copy(buffer->at + buffer->size, bytes.at, bytes.size);
  buffer->size += bytes.size;
}

void add_text(Buffer *buffer, const char *text) {
  while (*text) add_byte(buffer, (u8)*text++);
}

void add_number(Buffer *buffer, u32 number) {
  u8 digits[10];
  u32 count = 0;
  do digits[count++] = (u8)('0' + number % 10);
  while (number /= 10);
  while (count) add_byte(buffer, digits[--count]);
}

Slice read_all(u32 most) {
  Buffer all = new_buffer(PAGE);
  for (;;) {
    make_room(&all, PAGE);
    Vector vector = {all.at + all.size, all.room - all.size};
    u32 done = 0;
    if (fd_read(0, &vector, 1, &done) != 0) fail("stdin cannot be read", NO_PLACE);
    if (done == 0) return (Slice){all.at, all.size};
    all.size += done;
    if (all.size > most) fail("the task is too large", NO_PLACE);
  }
}

void write_all(i32 descriptor, const u8 *at, u32 size) {
  while (size) {
    Vector vector = {(u8 *)at, size};
    u32 done = 0;
    if (fd_write(descriptor, &vector, 1, &done) != 0 || done == 0) proc_exit(2);
    at += done;
    size -= done;
  }
}

void fail(const char *message, u32 at) {
  Buffer words = new_buffer(256);
  add_text(&words, "text-summary: ");
  add_text(&words, message);
  if (at != NO_PLACE) {
    add_text(&words, " at byte ");
    add_number(&words, at);
  }
  add_byte(&words, '\n');
  write_all(2, words.at, words.size);
  proc_exit(1);
}

void leave(u32 code) { proc_exit(code); }
