//! Every call, error and type of the runtime, read from its metadata: nothing can be forgotten.

use ainur_runtime::Runtime;
use frame_metadata::{v14::RuntimeMetadataV14, RuntimeMetadata};
use scale_info::{form::PortableForm, PortableRegistry, TypeDef, Variant};
use sp_runtime::{DispatchError, ModuleError};
use std::collections::BTreeMap;

/// Names of a pallet and one of its calls.
pub type CallName = (String, String);

/// What the metadata tells about one call.
pub struct CallShape {
	/// Index of the pallet in the runtime.
	pub pallet: u8,
	/// Index and fields of the call.
	pub variant: Variant<PortableForm>,
}

/// The runtime as its metadata describes it.
pub struct Catalogue {
	/// All types.
	pub types: PortableRegistry,
	/// All calls by name.
	pub calls: BTreeMap<CallName, CallShape>,
	/// Names of the market's pallets.
	pub market: Vec<String>,
	/// Type of the runtime's events.
	pub event: u32,
	errors: BTreeMap<(u8, u8), String>,
}

impl Catalogue {
	/// That of the linked runtime.
	pub fn read() -> Catalogue {
		let RuntimeMetadata::V14(all) = Runtime::metadata().1 else {
			panic!("the runtime describes itself in another version than 14");
		};
		let RuntimeMetadataV14 { types, pallets, .. } = all;
		let variants = |ty: u32| match &types.resolve(ty).expect("a known type").type_def {
			TypeDef::Variant(enumeration) => enumeration.variants.clone(),
			_ => Vec::new(),
		};
		let (mut calls, mut errors) = (BTreeMap::new(), BTreeMap::new());
		for pallet in &pallets {
			for variant in pallet.calls.iter().flat_map(|c| variants(c.ty.id)) {
				let shape = CallShape {
					pallet: pallet.index,
					variant: variant.clone(),
				};
				calls.insert((pallet.name.clone(), variant.name), shape);
			}
			for variant in pallet.error.iter().flat_map(|e| variants(e.ty.id)) {
				let name = format!("{}.{}", pallet.name, variant.name);
				errors.insert((pallet.index, variant.index), name);
			}
		}
		let market = pallets
			.iter()
			.filter(|pallet| pallet.index >= MARKET)
			.map(|pallet| pallet.name.clone())
			.collect();
		let event = types
			.types
			.iter()
			.find(|t| {
				t.ty.path
					.segments
					.last()
					.is_some_and(|s| s == "RuntimeEvent")
			})
			.expect("the runtime has events")
			.id;
		Catalogue {
			types,
			calls,
			market,
			event,
			errors,
		}
	}

	/// Whether this pallet is one of the market's.
	pub fn of_market(&self, pallet: &str) -> bool {
		self.market.iter().any(|name| name == pallet)
	}

	/// Names of all errors of the market's pallets.
	pub fn errors(&self) -> impl Iterator<Item = &String> {
		self.errors
			.iter()
			.filter(|((pallet, _), _)| *pallet >= MARKET)
			.map(|(_, name)| name)
	}

	/// How an error is called.
	pub fn error_name(&self, error: &DispatchError) -> String {
		match error {
			DispatchError::Module(ModuleError { index, error, .. }) => self
				.errors
				.get(&(*index, error[0]))
				.cloned()
				.unwrap_or_else(|| format!("{index}.{}", error[0])),
			other => format!("{other:?}"),
		}
	}
}

/// Index of the first pallet of the market.
pub const MARKET: u8 = 19;
