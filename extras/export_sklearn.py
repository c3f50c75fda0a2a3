"""Models of scikit-learn by skl2onnx, trained on its own digits: pip install skl2onnx scikit-learn."""

import warnings

import numpy as np
from keep import keep
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

OPSET = 18
MODELS = {
    "sklearn-logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "sklearn-mlp": make_pipeline(MinMaxScaler(), MLPClassifier((32,), max_iter=200, random_state=0)),
    "sklearn-forest": RandomForestClassifier(8, max_depth=4, random_state=0),
    "sklearn-boosting": GradientBoostingRegressor(n_estimators=12, max_depth=2, random_state=0),
}


def main() -> None:
    """Train each model, export it, and keep what it says of four digits."""
    warnings.simplefilter("ignore")
    images, labels = load_digits(return_X_y=True)
    images = images.astype(np.float32)
    few = images[:4]
    for name, model in MODELS.items():
        model.fit(images, labels)
        if hasattr(model, "predict_proba"):
            # Without it, probabilities are a sequence of maps, which are no tensors.
            made = to_onnx(model, images[:1], target_opset=OPSET, options={id(model): {"zipmap": False}})
            answers = [model.predict(few).astype(np.int64), model.predict_proba(few).astype(np.float32)]
        else:
            made = to_onnx(model, images[:1], target_opset=OPSET)
            answers = [model.predict(few).astype(np.float32)[:, None]]
        keep(name, made, [few], answers)


if __name__ == "__main__":
    main()
