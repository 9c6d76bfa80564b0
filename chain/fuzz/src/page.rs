//! `docs/weights.md`: what every call of the market weighs and costs, as this runtime computes it.

use crate::{
	calls::{Catalogue, MARKET},
	cast,
};
use ainur_runtime::*;
use codec::{Compact, Decode, Encode};
use frame_support::dispatch::GetDispatchInfo;
use scale_info::{TypeDef, TypeDefPrimitive};
use sp_runtime::generic::Era;
use std::{fmt::Write, path::Path};

/// Where a call's figure comes from: keys read and written, or nothing when it is a model's.
struct Source {
	reads: String,
	writes: String,
}

/// The whole page. `chain` is the directory of the pallets' sources.
pub fn weights_page(chain: &Path) -> String {
	sp_io::TestExternalities::default().execute_with(|| page(chain))
}

fn page(chain: &Path) -> String {
	let catalogue = Catalogue::read();
	let mut out = String::from(HEAD);
	let extension = extension_weight();
	let _ = writeln!(
		out,
		"\nTo every call come {} µs of an extrinsic's base and {} µs of its extensions, and 0.0001 milli-AIN per byte.\n",
		micros(base()),
		micros(extension)
	);
	out.push_str("| call | weight, µs | keys read | keys written | bytes | fee, milli-AIN |\n");
	out.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
	for ((pallet, name), shape) in &catalogue.calls {
		if shape.pallet < MARKET {
			continue;
		}
		let mut bytes = vec![shape.pallet, shape.variant.index];
		shape
			.variant
			.fields
			.iter()
			.for_each(|f| smallest(&catalogue, f.ty.id, &mut bytes));
		let call = RuntimeCall::decode(&mut &bytes[..]).expect("the smallest call decodes");
		let length = extrinsic(call.clone()).encoded_size() as u32;
		let info = extrinsic(call.clone()).get_dispatch_info();
		let fee = TransactionPayment::compute_fee(length, &info, 0);
		let Source { reads, writes } = source(chain, pallet, name);
		let _ = writeln!(
			out,
			"| `{pallet}.{name}` | {} | {reads} | {writes} | {length} | {}.{:03} |",
			micros(info.call_weight.ref_time()),
			fee / MILLI,
			fee % MILLI / (MILLI / 1_000)
		);
	}
	out
}

const HEAD: &str = "# Weights and fees

Written by `make weights`; the chain's tests compare it with the runtime. A weight is time: what the call computes, as
measured, and 8 µs for each key that it reads and 50 µs for each that it writes (ParityDB). 1 µs costs 0.001 milli-AIN.
Keys that every block touches are not counted. `model` is a figure that was chosen because the call has no benchmark.
The bytes are those of the shortest such extrinsic: empty lists, no options.
";

fn micros(picoseconds: u64) -> String {
	format!(
		"{}.{}",
		picoseconds / 1_000_000,
		picoseconds % 1_000_000 / 100_000
	)
}

fn base() -> u64 {
	let weights = <Runtime as frame_system::Config>::BlockWeights::get();
	weights
		.get(frame_support::dispatch::DispatchClass::Normal)
		.base_extrinsic
		.ref_time()
}

fn extension_weight() -> u64 {
	let remark = frame_system::Call::remark { remark: vec![] };
	extrinsic(remark.into())
		.get_dispatch_info()
		.extension_weight
		.ref_time()
}

fn extrinsic(call: RuntimeCall) -> UncheckedExtrinsic {
	let extra: TxExtension = (
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::mortal(64, 1)),
		frame_system::CheckNonce::from(1),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_system::WeightReclaim::new(),
	);
	let signature = Signature::Sr25519([0; 64].into());
	UncheckedExtrinsic::new_signed(call, cast::account(0).into(), signature, extra)
}

/// Append the smallest value of a type: zeros, empty lists, first variants.
fn smallest(catalogue: &Catalogue, id: u32, out: &mut Vec<u8>) {
	let ty = catalogue.types.resolve(id).expect("a known type");
	match &ty.type_def {
		TypeDef::Composite(c) => c
			.fields
			.iter()
			.for_each(|f| smallest(catalogue, f.ty.id, out)),
		TypeDef::Tuple(t) => t.fields.iter().for_each(|f| smallest(catalogue, f.id, out)),
		TypeDef::Array(a) => (0..a.len).for_each(|_| smallest(catalogue, a.type_param.id, out)),
		TypeDef::Sequence(_) | TypeDef::BitSequence(_) => Compact(0u32).encode_to(out),
		TypeDef::Compact(_) => Compact(0u128).encode_to(out),
		TypeDef::Variant(v) => {
			if let Some(first) = v.variants.first() {
				out.push(first.index);
				first
					.fields
					.iter()
					.for_each(|f| smallest(catalogue, f.ty.id, out));
			}
		}
		TypeDef::Primitive(p) => {
			use TypeDefPrimitive::*;
			let width = match p {
				Bool | U8 | I8 | Str => 1,
				U16 | I16 => 2,
				Char | U32 | I32 => 4,
				U64 | I64 => 8,
				U128 | I128 => 16,
				U256 | I256 => 32,
			};
			out.extend(std::iter::repeat_n(0, width));
		}
	}
}

/// Reads the pallet's `weights.rs`: measured figures count keys there.
fn source(chain: &Path, pallet: &str, call: &str) -> Source {
	let mut folder = String::new();
	for (at, letter) in pallet.char_indices() {
		if at > 0 && letter.is_uppercase() {
			folder.push('-');
		}
		folder.extend(letter.to_lowercase());
	}
	let path = chain.join("pallets").join(folder).join("src/weights.rs");
	let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
	let counts = text
		.split_once("impl WeightInfo for ()")
		.and_then(|(_, bodies)| bodies.split_once(&format!("fn {call}(")))
		.and_then(|(_, rest)| rest.split_once("\n\t}"))
		.and_then(|(body, _)| body.split_once("reads_writes("))
		.and_then(|(_, rest)| rest.split_once(')'))
		.and_then(|(counts, _)| counts.split_once(", "));
	match counts {
		Some((reads, writes)) => Source {
			reads: reads.into(),
			writes: writes.into(),
		},
		None => Source {
			reads: "model".into(),
			writes: "model".into(),
		},
	}
}
