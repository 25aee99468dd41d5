// SPDX-License-Identifier: MIT
// The parts of an SVG picture that a chart is made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace io_models {

struct point {
    double x = 0, y = 0;
};

enum class align { start, middle, end };
enum class marker { circle, square, triangle, diamond, cross };

struct text_style {
    int size = 14;
    align at = align::start;
    bool bold = false;
    const char* color = "#222222";
};

// The whole picture, on a white card of its own, so that it is read on any background.
class svg {
public:
    svg(int width, int height, std::string_view title);

    void text(point at, std::string_view words, text_style style = {});
    // Upwards, centred at `at`.
    void upright_text(point at, std::string_view words, text_style style = {});
    void line(point from, point to, const char* color);
    void path(const std::vector<point>& points, const char* color, double width, bool dashed);
    void mark(point at, marker shape, const char* color);
    // What is drawn until end_group() belongs together.
    void begin_group(std::string_view id, std::string_view description);
    void end_group();

    // The document.
    [[nodiscard]] std::string str() const { return drawn_ + "</svg>\n"; }

private:
    std::string drawn_;
};

}  // namespace io_models
