// Mark-up inside of a block: links, images, emphasis, code spans, tags, entities, escapes. One pass, bounded look-ahead.
#include "markdown.h"
#include "unicode.h"

#define LOOK_AHEAD 256u
#define NESTING 32u
#define TICKS 8u

typedef struct {
  Slice raw;
  Buffer *clean;
  u32 begin;                // of this block in `clean`
  u32 *match;               // position of '[' or '(' -> position behind its partner, 0 without one
  u32 searched[TICKS + 1];  // no closing run of n backticks before this position
  u32 searched_tag;         // no '>' before this position
} Inline;

static int is_space_byte(u8 byte) { return byte == ' ' || (byte >= 9 && byte <= 13); }

static int is_mark(u8 byte) {
  return (byte >= '!' && byte <= '/') || (byte >= ':' && byte <= '@') || (byte >= '[' && byte <= '`') ||
         (byte >= '{' && byte <= '~');
}

static void find_partners(Inline *in) {
  u32 open[2][NESTING], depth[2] = {0, 0};
  for (u32 i = 0; i < in->raw.size; i++) {
    u8 byte = in->raw.at[i];
    if (byte == '\\') {
      i++;
    } else if (byte == '[' || byte == '(') {
      u32 which = byte == '(';
      in->match[i] = 0;
      if (depth[which] < NESTING) open[which][depth[which]] = i;
      depth[which]++;
    } else if (byte == ']' || byte == ')') {
      u32 which = byte == ')';
      if (depth[which] && --depth[which] < NESTING) in->match[open[which][depth[which]]] = i + 1;
    }
  }
}

static u8 byte_at(const Inline *in, u32 at) { return at < in->raw.size ? in->raw.at[at] : ' '; }

static void put(Inline *in, u8 byte) {
  if (byte < 0x20 || byte == 0x7F) byte = ' ';
  int at_edge = in->clean->size == in->begin || in->clean->at[in->clean->size - 1] == ' ';
  if (byte != ' ' || !at_edge) add_byte(in->clean, byte);
}

// Passes over a link's target, "(...)" or "[...]"; 0 when there is none.
static u32 behind_target(const Inline *in, u32 at) {
  u8 byte = byte_at(in, at);
  return byte == '(' || byte == '[' ? in->match[at] : 0;
}

static u32 code_span(Inline *in, u32 at) {
  u32 ticks = 0;
  while (byte_at(in, at + ticks) == '`') ticks++;
  u32 slot = ticks < TICKS ? ticks : TICKS;
  u32 from = at + ticks, last = from + LOOK_AHEAD < in->raw.size ? from + LOOK_AHEAD : in->raw.size;
  u32 i = in->searched[slot] > from ? in->searched[slot] : from;
  while (i < last) {
    u32 run = 0;
    while (i + run < in->raw.size && in->raw.at[i + run] == '`') run++;
    if (run == ticks) {
      for (u32 k = from; k < i; k++) put(in, in->raw.at[k]);
      return i + run;
    }
    i += run ? run : 1;
  }
  in->searched[slot] = i;
  return from;
}

// "<https://…>" and "<me@example.org>" are text, not tags: a colon or an at sign before any space.
static int is_address(const Inline *in, u32 at, u32 end) {
  for (u32 i = at + 1; i < end && !is_space_byte(in->raw.at[i]) && in->raw.at[i] != '='; i++)
    if (in->raw.at[i] == '@' || in->raw.at[i] == ':') return 1;
  return 0;
}

static u32 tag(Inline *in, u32 at) {
  u8 next = byte_at(in, at + 1);
  int likely = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '/' || next == '!';
  u32 last = at + LOOK_AHEAD < in->raw.size ? at + LOOK_AHEAD : in->raw.size;
  u32 i = in->searched_tag > at ? in->searched_tag : at;
  while (likely && i < last && in->raw.at[i] != '>') i++;
  if (likely && i < last && is_address(in, at, i)) {
    for (u32 k = at + 1; k < i; k++) put(in, in->raw.at[k]);
    return i + 1;
  }
  if (likely && i < last) {
    if (next == 'b' && byte_at(in, at + 2) == 'r') put(in, ' ');
    return i + 1;
  }
  if (likely) in->searched_tag = i;
  put(in, '<');
  return at + 1;
}

static u32 entity(Inline *in, u32 at) {
  static const struct {
    const char *name;
    const char *text;
  } known[] = {{"amp;", "&"},   {"lt;", "<"},    {"gt;", ">"},        {"quot;", "\""},    {"apos;", "'"},
               {"#39;", "'"},   {"nbsp;", " "},  {"mdash;", "\u2014"}, {"ndash;", "\u2013"}, {"hellip;", "\u2026"}};
  for (u32 k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
    u32 size = 0;
    while (known[k].name[size] && byte_at(in, at + 1 + size) == (u8)known[k].name[size]) size++;
    if (known[k].name[size]) continue;
    for (const char *text = known[k].text; *text; text++) put(in, (u8)*text);
    return at + 1 + size;
  }
  put(in, '&');
  return at + 1;
}

// Whether the mark at `at` is emphasis: it clings to a word, and an underscore is not inside of one.
static int is_emphasis(const Inline *in, u32 at, u8 mark) {
  u8 before = at ? in->raw.at[at - 1] : ' ', after = byte_at(in, at + 1);
  if (is_space_byte(before) && is_space_byte(after)) return 0;
  if (mark == '~') return before == '~' || after == '~';
  if (mark == '*') return 1;
  return before < 0x80 && after < 0x80 && (!is_word(before) || !is_word(after));
}

static void strip(Inline *in, u32 at, u32 end) {
  // Where the text of a link ends, its target is passed over; links nest, so their ends are kept on a stack.
  u32 ends[NESTING], targets[NESTING], depth = 0;
  while (at < end) {
    if (depth && at == ends[depth - 1]) {
      at = targets[--depth];
      continue;
    }
    u8 byte = in->raw.at[at];
    if (byte == '\\' && is_mark(byte_at(in, at + 1))) {
      put(in, in->raw.at[at + 1]);
      at += 2;
    } else if (byte == '`') {
      at = code_span(in, at);
    } else if (byte == '<') {
      at = tag(in, at);
    } else if (byte == '&') {
      at = entity(in, at);
    } else if (byte == '!' && byte_at(in, at + 1) == '[' && in->match[at + 1] && behind_target(in, in->match[at + 1])) {
      at = behind_target(in, in->match[at + 1]);
    } else if (byte == '[' && byte_at(in, at + 1) == '^' && in->match[at]) {
      at = in->match[at];
    } else if (byte == '[' && in->match[at] && depth < NESTING && behind_target(in, in->match[at])) {
      ends[depth] = in->match[at] - 1;
      targets[depth++] = behind_target(in, in->match[at]);
      at++;
    } else if (byte == '[' && byte_at(in, at + 1) == '`' && in->match[at] && depth < NESTING) {
      // "[`Name`]" is a link whose target stands elsewhere.
      ends[depth] = in->match[at] - 1;
      targets[depth++] = in->match[at];
      at++;
    } else if ((byte == '*' || byte == '_' || byte == '~') && is_emphasis(in, at, byte)) {
      at++;
    } else {
      put(in, byte);
      at++;
    }
  }
}

void strip_inline(Slice raw, Buffer *clean, u32 *scratch) {
  Inline in = {.raw = raw, .clean = clean, .begin = clean->size, .match = scratch};
  find_partners(&in);
  strip(&in, 0, raw.size);
  if (clean->size > in.begin && clean->at[clean->size - 1] == ' ') clean->size--;
}
