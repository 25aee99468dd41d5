// SPDX-License-Identifier: MIT
#include "svg.hpp"

#include <cstdarg>
#include <cstdio>

namespace io_models {

namespace {

[[gnu::format(printf, 1, 2)]] std::string format(const char* form, ...) {
    char text[1000];
    va_list values;
    va_start(values, form);
    std::vsnprintf(text, sizeof text, form, values);
    va_end(values);
    return text;
}

std::string escaped(std::string_view words) {
    std::string safe;
    for (const char letter : words) {
        switch (letter) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            default:
                safe += letter;
        }
    }
    return safe;
}

std::string text_attributes(const text_style& style) {
    const char* const anchors[] = {"start", "middle", "end"};
    return format("font-size=\"%d\" text-anchor=\"%s\" fill=\"%s\"%s", style.size,
                  anchors[static_cast<int>(style.at)], style.color,
                  style.bold ? " font-weight=\"bold\"" : "");
}

}  // namespace

svg::svg(int width, int height, std::string_view title) {
    drawn_ = format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
        "font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" role=\"img\">\n",
        width, height, width, height);
    drawn_ += "<title>" + escaped(title) + "</title>\n";
    drawn_ += format("<rect width=\"%d\" height=\"%d\" rx=\"16\" fill=\"#ffffff\"/>\n", width, height);
}

void svg::text(point at, std::string_view words, text_style style) {
    drawn_ += format("<text x=\"%.1f\" y=\"%.1f\" ", at.x, at.y) + text_attributes(style) + ">" +
              escaped(words) + "</text>\n";
}

void svg::upright_text(point at, std::string_view words, text_style style) {
    style.at = align::middle;
    drawn_ += format("<text transform=\"translate(%.1f %.1f) rotate(-90)\" ", at.x, at.y) +
              text_attributes(style) + ">" + escaped(words) + "</text>\n";
}

void svg::line(point from, point to, const char* color) {
    drawn_ += format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", from.x,
                     from.y, to.x, to.y, color);
}

void svg::path(const std::vector<point>& points, const char* color, double width, bool dashed) {
    drawn_ += "<polyline points=\"";
    for (const point& each : points) {
        drawn_ += format("%.1f,%.1f ", each.x, each.y);
    }
    drawn_ += format("\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-linejoin=\"round\"%s/>\n",
                     color, width, dashed ? " stroke-dasharray=\"7 4\"" : "");
}

void svg::mark(point at, marker shape, const char* color) {
    const char* form = "";
    switch (shape) {
        case marker::circle:
            form = "M-5,0 a5,5 0 1,0 10,0 a5,5 0 1,0 -10,0z";
            break;
        case marker::square:
            form = "M-4.5,-4.5 h9 v9 h-9z";
            break;
        case marker::triangle:
            form = "M0,-6 L5.5,4.5 L-5.5,4.5z";
            break;
        case marker::diamond:
            form = "M0,-6.5 L6.5,0 L0,6.5 L-6.5,0z";
            break;
        case marker::cross:
            drawn_ += format(
                "<path transform=\"translate(%.1f %.1f)\" d=\"M-7,-7 L7,7 M-7,7 L7,-7\" stroke=\"%s\" "
                "stroke-width=\"3\"/>\n",
                at.x, at.y, color);
            return;
    }
    drawn_ += format(
        "<path transform=\"translate(%.1f %.1f)\" d=\"%s\" fill=\"%s\" stroke=\"#ffffff\" "
        "stroke-width=\"1\"/>\n",
        at.x, at.y, form, color);
}

void svg::begin_group(std::string_view id, std::string_view description) {
    drawn_ += "<g id=\"" + escaped(id) + "\"><title>" + escaped(description) + "</title>\n";
}

void svg::end_group() {
    drawn_ += "</g>\n";
}

}  // namespace io_models
