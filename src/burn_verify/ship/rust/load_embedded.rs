/// Aligned as burnpack aligns tensors, so that they need not be copied.
#[repr(C, align(256))]
struct Aligned<T: ?Sized>(T);

static WEIGHTS: &Aligned<[u8]> = &Aligned(*include_bytes!("../weights/model.bpk"));

impl Model {
    /// Loads the weights, which are part of the program.
    ///
    /// # Errors
    /// When they are not those that were verified.
    pub fn load(device: &Device) -> Result<Self> {
        let from = "the embedded weights";
        check_weights(&WEIGHTS.0, from)?;
        filled(burn_store::BurnpackStore::from_static(&WEIGHTS.0), device, from)
    }
}
