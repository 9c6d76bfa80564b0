// UTF-8 and the few facts about characters that splitting text needs.
#include "unicode.h"

u32 next_character(Slice text, u32 *at) {
  u32 i = *at;
  u8 first = text.at[i++];
  if (first < 0x80) {
    *at = i;
    return first;
  }
  u32 more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || more > text.size - i) return BAD_CHARACTER;
  u32 value = first & (0x3Fu >> more);
  for (u32 k = 0; k < more; k++) {
    u8 byte = text.at[i++];
    if ((byte & 0xC0) != 0x80) return BAD_CHARACTER;
    value = value << 6 | (byte & 0x3F);
  }
  static const u32 smallest[] = {0, 0x80, 0x800, 0x10000};
  if (value < smallest[more] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return BAD_CHARACTER;
  *at = i;
  return value;
}

void add_character(Buffer *buffer, u32 c) {
  if (c < 0x80) {
    add_byte(buffer, (u8)c);
  } else if (c < 0x800) {
    add_byte(buffer, (u8)(0xC0 | c >> 6));
    add_byte(buffer, (u8)(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    add_byte(buffer, (u8)(0xE0 | c >> 12));
    add_byte(buffer, (u8)(0x80 | (c >> 6 & 0x3F)));
    add_byte(buffer, (u8)(0x80 | (c & 0x3F)));
  } else {
    add_byte(buffer, (u8)(0xF0 | c >> 18));
    add_byte(buffer, (u8)(0x80 | (c >> 12 & 0x3F)));
    add_byte(buffer, (u8)(0x80 | (c >> 6 & 0x3F)));
    add_byte(buffer, (u8)(0x80 | (c & 0x3F)));
  }
}

typedef struct {
  u32 first, last;
} Range;

static int within(const Range *ranges, u32 count, u32 c) {
  u32 low = 0, high = count;
  while (low < high) {
    u32 middle = (low + high) / 2;
    if (c > ranges[middle].last) low = middle + 1;
    else high = middle;
  }
  return low < count && c >= ranges[low].first;
}
#define WITHIN(ranges, c) within(ranges, sizeof(ranges) / sizeof(ranges[0]), c)

// Above ASCII, what is no letter, digit or mark: punctuation, symbols, emoji, private use.
static const Range not_word[] = {
    {0x80, 0xA9},     {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},     {0xD7, 0xD7},     {0xF7, 0xF7},
    {0x37E, 0x37E},   {0x387, 0x387},   {0x55A, 0x55F},   {0x589, 0x58F},   {0x5BE, 0x5BE},   {0x5C0, 0x5C0},
    {0x5C3, 0x5C3},   {0x5C6, 0x5C6},   {0x5F3, 0x5F4},   {0x600, 0x60F},   {0x61B, 0x61F},   {0x66A, 0x66D},
    {0x6D4, 0x6D4},   {0x6DD, 0x6DE},   {0x700, 0x70F},   {0x964, 0x965},   {0x970, 0x970},   {0xE3F, 0xE3F},
    {0xE4F, 0xE4F},   {0xE5A, 0xE5B},   {0xF01, 0xF17},   {0x104A, 0x104F}, {0x10FB, 0x10FB}, {0x1360, 0x1368},
    {0x166D, 0x166E}, {0x1680, 0x1680}, {0x17D4, 0x17DB}, {0x1800, 0x180E}, {0x2000, 0x2BFF}, {0x2E00, 0x2E7F},
    {0x2FF0, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0x3036, 0x303F}, {0x30A0, 0x30A0}, {0x30FB, 0x30FB},
    {0xD800, 0xF8FF}, {0xFD3E, 0xFD3F}, {0xFDFC, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFEFF, 0xFF0F}, {0xFF1A, 0xFF20},
    {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF},
};

static const Range unspaced[] = {
    {0xE00, 0xEFF},   {0x1000, 0x109F}, {0x1780, 0x17FF},   {0x3005, 0x3007},   {0x3021, 0x3029},   {0x3031, 0x3035},
    {0x3041, 0x309F}, {0x30A1, 0x30FF}, {0x31F0, 0x31FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
    {0xFF66, 0xFF9F}, {0x1B000, 0x1B16F}, {0x20000, 0x3FFFF},
};

static const Range terse[] = {
    {0x30A1, 0x30FF}, {0x31F0, 0x31FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFAFF}, {0xFF66, 0xFF9F},
    {0x20000, 0x3FFFF},
};

int is_space(u32 c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

int is_digit(u32 c) { return c >= '0' && c <= '9'; }

int is_word(u32 c) {
  if (c < 0x80) return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c != BAD_CHARACTER && !WITHIN(not_word, c);
}

int is_joiner(u32 c) { return c == '\'' || c == '-' || c == 0x2019 || c == 0x200C || c == 0x200D || c == 0x2011; }

int is_unspaced(u32 c) { return c >= 0xE00 && is_word(c) && WITHIN(unspaced, c); }

int is_terse(u32 c) { return c >= 0x30A1 && is_word(c) && WITHIN(terse, c); }

u32 to_lower(u32 c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c == 0x178) return 0xFF;
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) || (c >= 0x1E00 && c <= 0x1EFF)) return c | 1;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1);
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0x460 && c <= 0x481) return c | 1;
  if (c >= 0x531 && c <= 0x556) return c + 48;
  return c;
}

int is_lower(u32 c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  if (c >= 0xDF && c <= 0xFF) return c != 0xF7;
  if (c >= 0x100 && c <= 0x17E) return to_lower(c) == c;
  return (c >= 0x3AC && c <= 0x3CE) || (c >= 0x430 && c <= 0x45F) || (c >= 0x561 && c <= 0x587);
}

int ends_sentence(u32 c) {
  switch (c) {
    case '.': case '!': case '?': case 0x2026: case 0x203C: case 0x2047: case 0x2048: case 0x2049: // ASCII and …
    case 0x589: case 0x61F: case 0x6D4: case 0x964: case 0x965: case 0x1362: case 0x1367: case 0x17D4: case 0x104B:
      return 1;
    case 0x3002: case 0xFF01: case 0xFF1F: case 0xFF0E: case 0xFF61: // 。！？．｡
      return 2;
    default:
      return 0;
  }
}

int is_closer(u32 c) {
  switch (c) {
    case '"': case '\'': case ')': case ']': case '}': case 0xBB: case 0xAB: case 0x2019: case 0x201D: case 0x201C:
    case 0x203A: case 0x300D: case 0x300F: case 0x3011: case 0x300B: case 0x3009: case 0xFF09: case 0xFF3D: case 0xFF5D:
      return 1;
    default:
      return 0;
  }
}
