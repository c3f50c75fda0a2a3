impl Model {
    /// Loads the weights from a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds other weights than those that were verified.
    pub fn load(path: impl AsRef<std::path::Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let from = format!("the weights in {}", path.display());
        let bytes = std::fs::read(path).map_err(|error| format!("{from} cannot be read: {error}"))?;
        check_weights(&bytes, &from)?;
        filled(burn_store::BurnpackStore::from_file(path), device, &from)
    }
}
