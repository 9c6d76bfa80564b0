//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn set_params() {
		let params = ainur_primitives::Params::default();
		#[extrinsic_call]
		_(RawOrigin::Root, params.clone());
		assert_eq!(Pallet::<T>::params(), params);
	}
}
