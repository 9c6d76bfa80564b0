// Reads the task and writes strings; strict JSON in strict UTF-8.
#include "json.h"
#include "unicode.h"

typedef struct {
  Slice json;
  u32 at;
} Reader;

static int peek(Reader *reader) {
  while (reader->at < reader->json.size) {
    u8 byte = reader->json.at[reader->at];
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') return byte;
    reader->at++;
  }
  return -1;
}

static void expect(Reader *reader, u8 byte, const char *message) {
  if (peek(reader) != byte) fail(message, reader->at);
  reader->at++;
}

static u32 hex4(Reader *reader) {
  u32 value = 0;
  for (u32 i = 0; i < 4; i++) {
    if (reader->at >= reader->json.size) fail("unfinished escape", reader->at);
    u8 c = reader->json.at[reader->at++];
    u32 digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 16;
    if (digit > 15) fail("bad escape", reader->at - 1);
    value = value << 4 | digit;
  }
  return value;
}

static u32 escaped(Reader *reader) {
  if (reader->at >= reader->json.size) fail("unfinished escape", reader->at);
  u32 begin = reader->at - 1;
  switch (reader->json.at[reader->at++]) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return 8;
    case 'f': return 12;
    case 'n': return 10;
    case 'r': return 13;
    case 't': return 9;
    case 'u': break;
    default: fail("bad escape", begin);
  }
  u32 unit = hex4(reader);
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  int paired = unit < 0xDC00 && reader->at + 1 < reader->json.size && reader->json.at[reader->at] == '\\' &&
               reader->json.at[reader->at + 1] == 'u';
  if (!paired) fail("half a surrogate pair", begin);
  reader->at += 2;
  u32 low = hex4(reader);
  if (low < 0xDC00 || low > 0xDFFF) fail("half a surrogate pair", begin);
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

static Slice read_string(Reader *reader) {
  expect(reader, '"', "a string was expected");
  Buffer text = new_buffer(256);
  for (;;) {
    if (reader->at >= reader->json.size) fail("unfinished string", reader->at);
    u32 begin = reader->at;
    u8 byte = reader->json.at[begin];
    if (byte == '"') {
      reader->at++;
      return (Slice){text.at, text.size};
    }
    if (byte < 0x20) fail("control character in a string", begin);
    u32 character;
    if (byte == '\\') {
      reader->at++;
      character = escaped(reader);
    } else {
      character = next_character(reader->json, &reader->at);
    }
    if (character == BAD_CHARACTER) fail("the task is not UTF-8", begin);
    add_character(&text, character);
    if (text.size > MAX_TEXT) fail("the text is longer than 1 MiB", NO_PLACE);
  }
}

static u32 read_count(Reader *reader) {
  peek(reader);
  u32 begin = reader->at, value = 0;
  while (reader->at < reader->json.size && is_digit(reader->json.at[reader->at]) && value <= MAX_SENTENCES)
    value = 10 * value + reader->json.at[reader->at++] - '0';
  int whole = reader->at > begin && reader->json.at[begin] != '0';
  if (!whole || value > MAX_SENTENCES) fail("sentences must be a whole number from 1 to 20", begin);
  return value;
}

static int is_name(Slice name, const char *wanted) {
  u32 size = 0;
  while (wanted[size]) size++;
  return same(name, (Slice){(const u8 *)wanted, size});
}

Task read_task(Slice json) {
  Reader reader = {json, 0};
  Task task = {{0, 0}, 0};
  int has_text = 0;
  expect(&reader, '{', "the task must be a JSON object");
  if (peek(&reader) == '}') fail("the task has no text", reader.at);
  for (;;) {
    peek(&reader);
    u32 begin = reader.at;
    Slice name = read_string(&reader);
    expect(&reader, ':', "a colon was expected");
    if (is_name(name, "text") && !has_text) {
      task.text = read_string(&reader);
      has_text = 1;
    } else if (is_name(name, "sentences") && !task.sentences) {
      task.sentences = read_count(&reader);
    } else {
      fail("a name that is unknown or given twice", begin);
    }
    if (peek(&reader) == '}') break;
    expect(&reader, ',', "a comma or the end of the object was expected");
  }
  reader.at++;
  if (peek(&reader) != -1) fail("something follows the task", reader.at);
  if (!has_text) fail("the task has no text", NO_PLACE);
  if (!task.sentences) task.sentences = DEFAULT_SENTENCES;
  return task;
}

void add_json_string(Buffer *buffer, Slice text) {
  static const char hex[] = "0123456789abcdef";
  add_byte(buffer, '"');
  for (u32 i = 0; i < text.size; i++) {
    u8 byte = text.at[i];
    if (byte == '"' || byte == '\\') {
      add_byte(buffer, '\\');
      add_byte(buffer, byte);
    } else if (byte < 0x20) {
      add_text(buffer, "\\u00");
      add_byte(buffer, (u8)hex[byte >> 4]);
      add_byte(buffer, (u8)hex[byte & 15]);
    } else {
      add_byte(buffer, byte);
    }
  }
  add_byte(buffer, '"');
}
