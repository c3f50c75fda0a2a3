impl Model {
    /// Loads the weights from the content of `weights/model.bpk`.
    ///
    /// # Errors
    /// When it is other content than what was verified.
    pub fn load(bytes: Vec<u8>, device: &Device) -> Result<Self> {
        let from = "the weights";
        check_weights(&bytes, from)?;
        let bytes = burn::tensor::Bytes::from_bytes_vec(bytes);
        filled(burn_store::BurnpackStore::from_bytes(Some(bytes)), device, from)
    }
}
