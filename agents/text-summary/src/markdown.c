// The block structure of Markdown, line by line.
#include "markdown.h"
#include "unicode.h"

#define FENCE_LENGTHS 8u

typedef struct {
  Slice text;
  u32 at;            // begin of the next line
  Prose prose;
  u32 room;
  Buffer raw;        // the block that is being collected
  Kind kind;
  u32 *scratch;
  int has_marks;     // a heading or a fence was seen: this is Markdown, so indented lines are code
  u32 open_for_good[2]; // shortest run of ` or ~ that is known to be closed nowhere
} Reader;

static Slice line_at(const Reader *reader, u32 *at) {
  u32 begin = *at, end = begin;
  while (end < reader->text.size && reader->text.at[end] != '\n') end++;
  *at = end < reader->text.size ? end + 1 : end;
  while (end > begin && (reader->text.at[end - 1] <= ' ')) end--;
  return (Slice){reader->text.at + begin, end - begin};
}

static Slice tail(Slice line, u32 from) { return (Slice){line.at + from, line.size - from}; }

static u32 indent(Slice line) {
  u32 i = 0;
  while (i < line.size && (line.at[i] == ' ' || line.at[i] == '\t')) i++;
  return i;
}

static u32 run_of(Slice line, u8 byte) {
  u32 i = 0;
  while (i < line.size && line.at[i] == byte) i++;
  return i;
}

static void finish_block(Reader *reader) {
  u32 begin = reader->prose.text.size;
  if (reader->raw.size) strip_inline((Slice){reader->raw.at, reader->raw.size}, &reader->prose.text, reader->scratch);
  reader->raw.size = 0;
  if (reader->prose.text.size > begin) {
    if (reader->prose.count == reader->room) {
      Block *more = take(2 * reader->room * sizeof(Block));
      copy(more, reader->prose.blocks, reader->room * sizeof(Block));
      reader->prose.blocks = more;
      reader->room *= 2;
    }
    reader->prose.blocks[reader->prose.count++] = (Block){begin, reader->prose.text.size, reader->kind};
    add_byte(&reader->prose.text, '\n');
  }
  reader->kind = PROSE;
}

static u32 last_character(const Buffer *buffer) {
  u32 at = buffer->size;
  while (at > 0 && (buffer->at[--at] & 0xC0) == 0x80) continue;
  return next_character((Slice){buffer->at, buffer->size}, &at);
}

static void add_line(Reader *reader, Slice line) {
  if (!line.size) return;
  u32 at = 0;
  // Scripts that write no spaces need none between lines either.
  int glued = reader->raw.size && is_unspaced(next_character(line, &at)) && last_character(&reader->raw) >= 0x2E80;
  if (reader->raw.size && !glued) add_byte(&reader->raw, ' ');
  add_bytes(&reader->raw, line);
}

// Moves behind the line that closes a fence of `length` x `mark`; 0 when there is none.
static int skip_fence(Reader *reader, u8 mark, u32 length) {
  u32 which = mark == '~';
  u32 counted = length < FENCE_LENGTHS ? length : FENCE_LENGTHS;
  if (reader->open_for_good[which] && counted >= reader->open_for_good[which]) return 0;
  for (u32 at = reader->at; at < reader->text.size;) {
    Slice line = line_at(reader, &at);
    line = tail(line, indent(line));
    if (run_of(line, mark) == line.size && line.size >= counted) {
      reader->at = at;
      return 1;
    }
  }
  reader->open_for_good[which] = counted;
  return 0;
}

static int contains(Slice line, const char *wanted) {
  for (u32 i = 0; i < line.size; i++) {
    u32 k = 0;
    while (wanted[k] && i + k < line.size && line.at[i + k] == (u8)wanted[k]) k++;
    if (!wanted[k]) return 1;
  }
  return 0;
}

static void skip_comment(Reader *reader, Slice line) {
  u32 at = reader->at;
  while (!contains(line, "-->")) {
    if (at >= reader->text.size) return;
    line = line_at(reader, &at);
  }
  reader->at = at;
}

static void skip_front_matter(Reader *reader) {
  u32 at = 0;
  Slice line = line_at(reader, &at);
  if (line.size != 3 || run_of(line, '-') != 3) return;
  for (u32 lines = 0; lines < 64 && at < reader->text.size; lines++) {
    line = line_at(reader, &at);
    if (line.size == 3 && (run_of(line, '-') == 3 || run_of(line, '.') == 3)) {
      reader->at = at;
      return;
    }
  }
}

// A line of nothing but one mark (and spaces): an underline or a rule.
static u8 ruler(Slice line) {
  u8 mark = line.size ? line.at[0] : 0;
  if (mark != '-' && mark != '=' && mark != '*' && mark != '_') return 0;
  u32 marks = 0;
  for (u32 i = 0; i < line.size; i++) {
    if (line.at[i] == mark) marks++;
    else if (line.at[i] != ' ') return 0;
  }
  return marks >= 3 || (mark == '=' && marks >= 2) ? mark : 0;
}

static int is_table_row(Slice line) {
  if (line.at[0] == '|') return 1;
  u32 bars = 0, dashes = 0, others = 0;
  for (u32 i = 0; i < line.size; i++) {
    if (line.at[i] == '|') bars++;
    else if (line.at[i] == '-') dashes++;
    else if (line.at[i] != ' ' && line.at[i] != ':') others++;
  }
  return bars && (bars > 1 || (dashes > 2 && !others));
}

// Length of a list marker with its space, 0 without one.
static u32 list_marker(const Reader *reader, Slice line) {
  u8 first = line.at[0];
  u32 size = 1;
  if (is_digit(first)) {
    while (size < line.size && size < 9 && is_digit(line.at[size])) size++;
    if (size >= line.size || (line.at[size] != '.' && line.at[size] != ')')) return 0;
    // A wrapped line may begin with a year; only "1." can begin a list inside of a paragraph.
    if (reader->raw.size && reader->kind == PROSE && !(size == 1 && first == '1')) return 0;
    size++;
  } else if (first != '-' && first != '*' && first != '+') {
    return 0;
  }
  if (size >= line.size || (line.at[size] != ' ' && line.at[size] != '\t')) return 0;
  size += indent(tail(line, size));
  if (line.size - size >= 4 && line.at[size] == '[' && line.at[size + 2] == ']' && line.at[size + 3] == ' ') size += 4;
  return size;
}

static int is_definition(Slice line) {
  if (line.at[0] != '[') return 0;
  for (u32 i = 1; i + 1 < line.size && line.at[i] != '['; i++)
    if (line.at[i] == ']') return line.at[i + 1] == ':';
  return 0;
}

static void read_line(Reader *reader, Slice line) {
  u32 spaces = indent(line);
  int is_code = spaces && (spaces >= 4 || line.at[0] == '\t') && !reader->raw.size && reader->has_marks;
  line = tail(line, spaces);
  while (line.size && line.at[0] == '>') {
    line = tail(line, 1);
    line = tail(line, indent(line));
  }
  if (!line.size) {
    finish_block(reader);
    return;
  }
  u8 first = line.at[0];
  u32 run = run_of(line, first);
  if ((first == '`' || first == '~') && run >= 3 && !contains(tail(line, run), "`") && skip_fence(reader, first, run)) {
    finish_block(reader);
    reader->has_marks = 1;
    return;
  }
  if (is_code) return;
  if (contains((Slice){line.at, line.size < 4 ? line.size : 4}, "<!--")) {
    skip_comment(reader, line);
    return;
  }
  if (first == '#' && run <= 6 && (run == line.size || line.at[run] == ' ')) {
    finish_block(reader);
    reader->has_marks = 1;
    line = tail(line, run);
    while (line.size && line.at[line.size - 1] == '#') line.size--;
    add_line(reader, tail(line, indent(line)));
    reader->kind = HEADING;
    finish_block(reader);
    return;
  }
  u8 rule = ruler(line);
  if (rule) {
    if (reader->raw.size && reader->kind == PROSE && (rule == '=' || rule == '-')) reader->kind = HEADING;
    finish_block(reader);
    return;
  }
  if (is_table_row(line) || is_definition(line)) {
    finish_block(reader);
    return;
  }
  u32 marker = list_marker(reader, line);
  if (marker) {
    finish_block(reader);
    reader->kind = ITEM;
    line = tail(line, marker);
  }
  add_line(reader, line);
}

Prose read_markdown(Slice text) {
  Reader reader = {.text = text, .room = 256};
  reader.prose.text = new_buffer(text.size + 256);
  reader.prose.blocks = take(reader.room * sizeof(Block));
  reader.raw = new_buffer(1024);
  reader.scratch = take((2 * text.size + 16) * sizeof(u32));
  skip_front_matter(&reader);
  while (reader.at < text.size) {
    Slice line = line_at(&reader, &reader.at);
    read_line(&reader, line);
  }
  finish_block(&reader);
  return reader.prose;
}
