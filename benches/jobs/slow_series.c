/* The slow series with OpenMP: n and the digits as arguments, seconds and answer as JSON. */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    if (count != 3) return 2;
    const uint32_t n = (uint32_t)strtoul(arguments[1], NULL, 10);
    const uint32_t digits = (uint32_t)strtoul(arguments[2], NULL, 10);
    /* One loop for each length, so that the divisor is a constant as in the hand-written one. */
    const int two = strlen(arguments[2]) == 2;
    double total = 0;
    int64_t terms = 0;
    const double start = omp_get_wtime();
#pragma omp parallel for reduction(+ : total, terms) schedule(static)
    for (uint32_t k = 1; k <= n; k++) {
        int has = 0;
        if (two)
            for (uint32_t m = k; m; m /= 10) {
                if (m % 100 == digits) { has = 1; break; }
            }
        else
            for (uint32_t m = k; m; m /= 10)
                if (m % 10 == digits) { has = 1; break; }
        if (!has) {
            total += 1.0 / k;
            terms++;
        }
    }
    const double seconds = omp_get_wtime() - start;
    printf("{\"seconds\": %.9f, \"answer\": {\"total\": %.17g, \"terms\": %lld}}\n", seconds, total,
           (long long)terms);
    return 0;
}
