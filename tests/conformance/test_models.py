def test_model(burn_case, burn_verify):
    burn_verify(burn_case)
