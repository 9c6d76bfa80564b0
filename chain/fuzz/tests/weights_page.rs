//! `docs/weights.md` is what this runtime computes. `WRITE=1` writes it, as `make weights` does.

use std::path::Path;

#[test]
fn the_page_of_weights_is_that_of_this_runtime() {
	let chain = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
	let page = chain.join("../docs/weights.md");
	let own = chain_fuzz::page::weights_page(&chain);
	if std::env::var_os("WRITE").is_some() {
		std::fs::write(&page, &own).unwrap();
	}
	let written = std::fs::read_to_string(&page).unwrap_or_default();
	assert!(
		written == own,
		"docs/weights.md is not what this runtime computes; make weights-page writes it anew"
	);
}
