// UTF-8 and the few facts about characters that splitting text needs.
#pragma once
#include "platform.h"

#define BAD_CHARACTER 0xFFFFFFFFu

// The code point at `*at`, which moves behind it; BAD_CHARACTER for anything that is not strict UTF-8.
u32 next_character(Slice text, u32 *at);
void add_character(Buffer *buffer, u32 character);

int is_space(u32 character);
int is_word(u32 character);       // letters, digits and marks of any script
int is_joiner(u32 character);     // may stand inside a word: apostrophe, hyphen, zero-width joiners
int is_unspaced(u32 character);   // scripts that write no spaces: Han, kana, Thai, Lao, Khmer, Burmese
int is_terse(u32 character);      // unspaced characters that carry meaning in pairs: Han and katakana
int is_lower(u32 character);
int is_digit(u32 character);
int ends_sentence(u32 character); // 1: when space follows, 2: at once
int is_closer(u32 character);     // closing quotes and brackets belong to the sentence before them
u32 to_lower(u32 character);
