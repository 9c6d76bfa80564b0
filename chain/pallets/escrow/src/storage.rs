//! What the pallet stores.

use frame_support::pallet_macros::pallet_section;

/// Storage, part of the pallet's module.
#[pallet_section]
mod storage {
	/// All escrows, settled ones until they are forgotten.
	#[pallet::storage]
	pub type Escrows<T: Config> = StorageMap<_, Blake2_128Concat, H256, Escrow>;

	/// Declines of a provider: (epoch, how many in it).
	#[pallet::storage]
	pub type Declines<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, (u32, u32), ValueQuery>;

	/// What one party of an escrow offers the other.
	#[pallet::storage]
	pub type Proposals<T: Config> = StorageMap<_, Blake2_128Concat, H256, Proposal>;

	/// How escrows with milestones go on.
	#[pallet::storage]
	pub type Plans<T: Config> = StorageMap<_, Blake2_128Concat, H256, Plan>;

	/// Cases by `H("ainur/case/1", escrow, milestone)`, closed ones until their escrow is forgotten.
	#[pallet::storage]
	pub type Cases<T: Config> = StorageMap<_, Blake2_128Concat, H256, Case>;

	/// Panels by case and round.
	#[pallet::storage]
	pub type Panels<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, H256, Blake2_128Concat, u8, Panel>;

	/// Who judges.
	#[pallet::storage]
	pub type Arbiters<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Arbiter>;

	/// Arbiters by slot of the tree, without holes.
	#[pallet::storage]
	pub type Slots<T: Config> = StorageMap<_, Blake2_128Concat, u32, AccountId32>;

	/// Slots in use.
	#[pallet::storage]
	pub type SlotCount<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Fenwick tree of free stake units over the slots, nodes from 1; zeros are not stored.
	#[pallet::storage]
	pub type Tree<T: Config> = StorageMap<_, Blake2_128Concat, u32, u32, ValueQuery>;

	/// Market time since which there were always enough free units for a first panel.
	#[pallet::storage]
	pub type Sitting<T: Config> = StorageValue<_, Millis>;

	/// Block in which a weight in the tree changed last.
	#[pallet::storage]
	pub type Reweighed<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Blocks of the first and the last nonce that was opened for the draw that a case waits for.
	#[pallet::storage]
	pub type OpenedIn<T: Config> = StorageMap<_, Blake2_128Concat, H256, (u32, u32)>;

	/// Cases with both nonces open whose panel is not drawn yet.
	#[pallet::storage]
	pub type Undrawn<T: Config> = StorageValue<_, u32, ValueQuery>;
}
