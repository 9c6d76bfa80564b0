//! Values made from their types alone, and values found by their types.

use crate::{calls::Catalogue, cast, dice::Dice, mind::Pool};
use ainur_runtime::UNIT;
use codec::{Compact, Encode};
use scale_info::{form::PortableForm, Field, TypeDef, TypeDefPrimitive};

/// Longest sequence that is made; bounds of most vectors lie below it, so that both sides are tried.
const LONGEST: u64 = 20;
/// Calls within calls.
const DEPTH: u32 = 2;

/// Makes values out of types.
pub struct Shaper<'a> {
	pub catalogue: &'a Catalogue,
	pub pool: &'a Pool,
	pub now: u64,
}

impl Shaper<'_> {
	/// Append the encoded call; false when one of its types has no values.
	pub fn call(&self, dice: &mut Dice, name: &(String, String), out: &mut Vec<u8>) -> bool {
		self.nested_call(dice, name, out, 0)
	}

	fn nested_call(
		&self,
		dice: &mut Dice,
		name: &(String, String),
		out: &mut Vec<u8>,
		depth: u32,
	) -> bool {
		let shape = &self.catalogue.calls[name];
		out.extend([shape.pallet, shape.variant.index]);
		self.fields(dice, &shape.variant.fields, out, depth)
	}

	fn fields(
		&self,
		dice: &mut Dice,
		fields: &[Field<PortableForm>],
		out: &mut Vec<u8>,
		depth: u32,
	) -> bool {
		fields.iter().all(|f| self.value(dice, f.ty.id, out, depth))
	}

	fn value(&self, dice: &mut Dice, id: u32, out: &mut Vec<u8>, depth: u32) -> bool {
		let ty = self.catalogue.types.resolve(id).expect("a known type");
		match ty.path.segments.last().map(String::as_str) {
			Some("AccountId32") => {
				let who = dice.below(cast::ALL as u64 + 1) as usize;
				cast::account(who).encode_to(out);
				return true;
			}
			Some("H256") => {
				let known = dice.pick(self.pool.hashes()).copied();
				let fresh = dice.bytes32();
				let small = [dice.below(4) as u8; 32];
				out.extend(match dice.below(8) {
					0 => fresh,
					1 => small,
					_ => known.unwrap_or(small),
				});
				return true;
			}
			Some("RuntimeCall") => {
				let names: Vec<_> = self.catalogue.calls.keys().collect();
				let name = *dice.pick(&names).expect("there are calls");
				if depth >= DEPTH {
					let remark = ("System".to_owned(), "remark".to_owned());
					return self.nested_call(dice, &remark, out, depth + 1);
				}
				return self.nested_call(dice, name, out, depth + 1);
			}
			_ => (),
		}
		match &ty.type_def {
			TypeDef::Composite(c) => self.fields(dice, &c.fields, out, depth),
			TypeDef::Tuple(t) => t.fields.iter().all(|f| self.value(dice, f.id, out, depth)),
			TypeDef::Variant(v) => {
				// the first variant is the plain one: an account by its id, no value, the own origin
				let one = if dice.one_in(2) {
					v.variants.first()
				} else {
					dice.pick(&v.variants)
				};
				one.is_some_and(|one| {
					out.push(one.index);
					self.fields(dice, &one.fields, out, depth)
				})
			}
			TypeDef::Array(a) => {
				if a.len == 32 && dice.one_in(2) {
					let key = cast::node_key(dice.below(cast::ALL as u64) as usize, 0);
					out.extend(sp_core::Pair::public(&key).0);
					return true;
				}
				(0..a.len).all(|_| self.value(dice, a.type_param.id, out, depth))
			}
			TypeDef::Sequence(s) => {
				let most = if dice.one_in(8) {
					LONGEST * 5
				} else {
					LONGEST / 4
				};
				let n = dice.below(most) as u32;
				Compact(n).encode_to(out);
				(0..n).all(|_| self.value(dice, s.type_param.id, out, depth))
			}
			TypeDef::Primitive(p) => {
				self.primitive(dice, p, out);
				true
			}
			TypeDef::Compact(c) => {
				let width = self.width(c.type_param.id);
				let number = self.number(dice, width);
				Compact(number).encode_to(out);
				true
			}
			TypeDef::BitSequence(_) => false,
		}
	}

	/// Bytes of the number inside a compact one.
	fn width(&self, id: u32) -> u32 {
		match &self
			.catalogue
			.types
			.resolve(id)
			.expect("a known type")
			.type_def
		{
			TypeDef::Primitive(TypeDefPrimitive::U8) => 1,
			TypeDef::Primitive(TypeDefPrimitive::U16) => 2,
			TypeDef::Primitive(TypeDefPrimitive::U32) => 4,
			TypeDef::Primitive(TypeDefPrimitive::U64) => 8,
			TypeDef::Composite(c) => c.fields.first().map_or(0, |f| self.width(f.ty.id)),
			_ => 16,
		}
	}

	fn primitive(&self, dice: &mut Dice, kind: &TypeDefPrimitive, out: &mut Vec<u8>) {
		use TypeDefPrimitive::*;
		let width = match kind {
			Bool => return out.push(dice.below(2) as u8),
			Str => return "text".encode_to(out),
			Char | U32 | I32 => 4,
			U8 | I8 => 1,
			U16 | I16 => 2,
			U64 | I64 => 8,
			U128 | I128 => 16,
			U256 | I256 => 32,
		};
		let number = self.number(dice, width.min(16)).to_le_bytes();
		out.extend(number.iter().take(width as usize));
		out.extend(std::iter::repeat_n(0, (width as usize).saturating_sub(16)));
	}

	/// Numbers that a chain meets: nothing, a few, money, times, and the ends of the range.
	fn number(&self, dice: &mut Dice, width: u32) -> u128 {
		let most = u128::MAX >> (128 - 8 * width);
		let number = match dice.below(10) {
			0 => 0,
			1 => most,
			2 => most - u128::from(dice.below(3)),
			3 if width >= 8 => u128::from(self.now) + u128::from(dice.below(100_000)),
			4 | 5 if width >= 8 => u128::from(dice.below(100)) * UNIT / 4,
			6 => u128::from(dice.any()) << dice.below(64),
			_ => u128::from(dice.below(8)),
		};
		number & most
	}

	/// Put every hash inside an encoded value of this type into the pool; `None` when it does not decode.
	pub fn hashes(&self, id: u32, input: &mut &[u8], found: &mut Vec<[u8; 32]>) -> Option<()> {
		use codec::Decode;
		let ty = self.catalogue.types.resolve(id)?;
		if ty.path.segments.last().is_some_and(|s| s == "H256") {
			found.push(Decode::decode(input).ok()?);
			return Some(());
		}
		match &ty.type_def {
			TypeDef::Composite(c) => c
				.fields
				.iter()
				.try_for_each(|f| self.hashes(f.ty.id, input, found)),
			TypeDef::Tuple(t) => t
				.fields
				.iter()
				.try_for_each(|f| self.hashes(f.id, input, found)),
			TypeDef::Variant(v) => {
				let index = u8::decode(input).ok()?;
				let one = v.variants.iter().find(|one| one.index == index)?;
				one.fields
					.iter()
					.try_for_each(|f| self.hashes(f.ty.id, input, found))
			}
			TypeDef::Array(a) => {
				(0..a.len).try_for_each(|_| self.hashes(a.type_param.id, input, found))
			}
			TypeDef::Sequence(s) => {
				let n = Compact::<u32>::decode(input).ok()?.0;
				(0..n).try_for_each(|_| self.hashes(s.type_param.id, input, found))
			}
			TypeDef::Compact(_) => Compact::<u128>::decode(input).ok().map(|_| ()),
			TypeDef::Primitive(p) => {
				use TypeDefPrimitive::*;
				let width = match p {
					Bool | U8 | I8 => 1,
					U16 | I16 => 2,
					Char | U32 | I32 => 4,
					U64 | I64 => 8,
					U128 | I128 => 16,
					U256 | I256 => 32,
					Str => Compact::<u32>::decode(input).ok()?.0 as usize,
				};
				*input = input.get(width..)?;
				Some(())
			}
			TypeDef::BitSequence(_) => None,
		}
	}
}
